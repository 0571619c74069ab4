"""Static files under names with a hash: imports of our scripts follow, those of other packages are left alone."""

import re
from pathlib import Path

from django.core.files.storage import FileSystemStorage

from adminset.launch.config import ROOT
from adminset.static_files import HashedStorage
from tests.bench import browser_draw

THEIRS = 'import {x} from "../nowhere.js";'


def test_an_import_names_the_file_that_the_page_names(tmp_path: Path) -> None:
    files = {
        "js/words.js": "export const say = 1;\n",
        "js/charts.js": 'import { say } from "./words.js";\nimport {\n  say as other,\n} from "./words.js";\n',
        "terminal/screen.js": 'import { Terminal } from "../vendor/xterm/xterm.js";\n',
        "vendor/xterm/xterm.js": "export const Terminal = 1;\n",
        "other/theirs.js": THEIRS,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    storage = HashedStorage(location=tmp_path, base_url="/static/")
    source = FileSystemStorage(tmp_path)
    list(storage.post_process({name: (source, name) for name in files}))
    words = Path(storage.stored_name("js/words.js")).name
    charts = (tmp_path / storage.stored_name("js/charts.js")).read_text()
    assert words != "words.js"
    assert charts.count(f'from "./{words}";') == 2
    assert '"./words.js"' not in charts
    xterm = Path(storage.stored_name("vendor/xterm/xterm.js")).name
    screen = (tmp_path / storage.stored_name("terminal/screen.js")).read_text()
    assert f'from "../vendor/xterm/{xterm}";' in screen
    assert (tmp_path / storage.stored_name("other/theirs.js")).read_text() == THEIRS


def test_a_page_with_charts_asks_for_every_script_of_theirs_at_once() -> None:
    text = (ROOT / "templates/components/_chart_scripts.html").read_text()
    asked = re.findall(r"modulepreload\" href=\"{% static '([^']+)'", text)
    wanted = browser_draw.imported_by("js/charts.js") - {"js/charts.js"}
    assert set(asked) == wanted
    assert len(asked) == len(set(asked))

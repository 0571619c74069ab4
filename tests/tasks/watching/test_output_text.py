"""Output for people: control sequences go, lines that are written over collapse; the browser's way and the server's agree."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tasks.output_text import first_lines, plain

WRITER = Path(__file__).with_name("terminal.mjs")
CASES = {
    "colours": ("\x1b[1;31mred\x1b[0m plain", "red plain"),
    "progress": ("10%\r20%\r100%\ndone", "100%\ndone"),
    "an erased line": ("long line\rab\x1b[K", "ab"),
    "a shorter line over a longer one": ("12345\rab", "ab345"),
    "windows line ends": ("a\r\nb\r\n", "a\nb\n"),
    "a title and a link": ("\x1b]0;root@x\x07a\x1b]8;;http://x\x1b\\b", "ab"),
    "a string without end": ("\x1b]never ends", "never ends"),
    "clearing and moving": ("\x1b[2J\x1b[10;20Hok\x1b7\x1b8", "ok"),
    "one sign for the start": ("\x9b31mred", "red"),
    "the direction of text": ("ab\u202etxt.exe", "ab[U+202E]txt.exe"),
    "mark-up": ("<img src=x>&amp;", "<img src=x>&amp;"),
}


@pytest.mark.parametrize("name", CASES)
def test_text_for_people(name: str) -> None:
    given, wanted = CASES[name]
    assert plain(given) == wanted


def test_the_first_lines_are_those_with_something_in_them_cut_to_a_width() -> None:
    assert first_lines("\n\n  \na\nb\nc\nd\n") == ["a", "b", "c"]
    assert first_lines("x" * 500, characters=10) == ["x" * 10 + "…"]


@pytest.mark.parametrize(
    "text", ["\x1b]" * 60_000, "\r" * 60_000 + "x", "a\r" * 60_000, "\x1b[" * 60_000]
)
def test_hostile_text_costs_no_more_than_its_length(text: str) -> None:
    before = time.process_time()
    plain(text)
    assert time.process_time() - before < 2


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The browser's script as a module that node takes."""
    copy = tmp_path_factory.mktemp("ansi") / "ansi.mjs"
    copy.write_text((Path(settings.BASE_DIR) / "static/js/ansi.js").read_text())
    return copy


def written(script: Path, pieces: list[str]) -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine")
    done = subprocess.run(
        [node, str(WRITER), str(script)],
        input=json.dumps(pieces),
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return json.loads(done.stdout)


def test_the_page_shows_what_the_server_shows(script: Path) -> None:
    for given, wanted in CASES.values():
        # What may be the beginning of a sequence waits for what comes next.
        text = f"{given}\x1b[0m"
        assert written(script, [text])["text"] == wanted
        # However it is cut into pieces.
        assert written(script, list(text))["text"] == wanted


def test_colours_become_classes_and_nothing_else(script: Path) -> None:
    text = "\x1b[1;31mred\x1b[0m \x1b[38;5;10mgreen\x1b[39m \x1b[41;4mx\x1b[49;24my"
    assert written(script, [text])["looks"] == [
        ["ansi-31 ansi-bold", "red"],
        ["ansi-92", "green"],
        ["ansi-bg-41 ansi-underline", "x"],
    ]
    hostile = '\x1b[31;"onmouseover=x;38;2;1;2;3mt'
    assert [look for look, _text in written(script, [hostile])["looks"]] == []

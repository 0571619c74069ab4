"""The scripts of terminals keep to the house: short, nothing written as HTML, every word from the server, every import there."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.template.loader import get_template

ROOT = Path(settings.BASE_DIR)
STATIC = ROOT / "static"
SCRIPTS = sorted((STATIC / "terminal").glob("*.js"))
MOST_LINES = 120
IMPORT = re.compile(r'import \{[^}]*\} from "(\.[^"]+)";')


def imported_by(name: str, found: set[str] | None = None) -> set[str]:
    """Give the scripts that one imports, and those that these import."""
    found = set() if found is None else found
    for path in IMPORT.findall((STATIC / name).read_text()):
        target = (
            ((STATIC / name).parent / path).resolve().relative_to(STATIC).as_posix()
        )
        if target not in found:
            found.add(target)
            imported_by(target, found)
    return found


OURS = sorted(
    {n for n in imported_by("terminal/terminals.js") if n.startswith("terminal/")}
    | {"terminal/terminals.js"}
)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_what_it_is_for_and_never_writes_html(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("// ")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function",
        text,
    )
    # Each import is one that the hashed names follow (adminset/static_files.py).
    assert len(re.findall(r"^import\b", text, re.M)) == len(IMPORT.findall(text))


@pytest.mark.parametrize("name", OURS)
def test_a_script_is_short_and_imports_what_is_there(name: str) -> None:
    assert len((STATIC / name).read_text().splitlines()) <= MOST_LINES
    for target in imported_by(name):
        assert (STATIC / target).is_file(), target


def test_the_page_asks_for_every_script_at_once() -> None:
    text = (ROOT / "templates/tasks/_terminal_scripts.html").read_text()
    asked = re.findall(r"modulepreload\" href=\"{% static '([^']+)'", text)
    assert set(asked) == imported_by("terminal/terminals.js")
    assert len(asked) == len(set(asked))


def test_every_word_that_a_script_says_is_given_by_the_server() -> None:
    source: Any = get_template("tasks/_terminal_words.html").template
    given = {
        re.sub(r"-([a-z])", lambda m: m[1].upper(), name)
        for name in re.findall(r"data-([a-z0-9-]+)=", source.source)
    }
    texts = [(STATIC / name).read_text() for name in OURS]
    asked = {word for text in texts for word in re.findall(r'\bsay\("(\w+)"', text)}
    # States, codes of a closed socket and acts of the guard are named by what is said of them.
    asked |= {"connecting", "live", "lost", "restarts", "ended", "warn", "refuse"}
    asked |= {f"code{code}" for code in (4401, 4403, 4404)}
    assert asked == given


def test_every_part_that_a_script_looks_for_is_on_the_page() -> None:
    page = "".join(
        (ROOT / "templates/tasks" / name).read_text()
        for name in (
            "terminal.html",
            "_terminal_view.html",
            "_terminal_pane.html",
            "_terminal_opening.html",
            "_terminal_words.html",
        )
    )
    texts = "".join((STATIC / name).read_text() for name in OURS)
    parts = set(re.findall(r'data-part="(\w+)"', page))
    head = (STATIC / "terminal/head.js").read_text()
    assert {part for part in parts if f"this.{part}" not in head} == {"inclusion"}
    asked = set(re.findall(r'querySelector(?:All)?\("\[(data-[a-z-]+)\]"\)', texts))
    asked -= {"data-dot", "data-name", "data-label"}
    assert {name for name in asked if name not in page} == set()


def luminance(colour: str) -> float:
    """Give how light a colour is, as WCAG 2 counts it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_colour_of_every_theme_can_be_read_on_its_background() -> None:
    text = (STATIC / "terminal/themes.js").read_text()
    themes = re.findall(r"const ([A-Z]+) = \{(.*?)\n\};", text, re.S)
    assert len(themes) == 5
    for name, body in themes:
        colours = dict(re.findall(r'(\w+): "(#[0-9a-f]{6})"', body))
        ground = luminance(colours["background"])
        # Black is what programs draw beneath other colours; xterm.js lifts what is written in it (minimumContrastRatio).
        apart = {"black", "background", "cursor", "cursorAccent", "selectionBackground"}
        for colour in set(colours) - apart:
            other = luminance(colours[colour])
            ratio = (max(ground, other) + 0.05) / (min(ground, other) + 0.05)
            assert ratio >= 4.5, (name, colour)


def test_what_hosts_may_print_is_named_in_the_docs() -> None:
    docs = (ROOT / "docs/terminal.md").read_text()
    for word in ("OSC 52", "OSC 8", "title", "DCS", "APC", "bracketed", "print"):
        assert word in docs

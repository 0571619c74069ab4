"""What a host prints and what a clipboard holds to harm who looks at a terminal, in a real browser: nothing comes of it."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import wait_until
from tests.e2e.terminal_page import ACTIVE, enter, paste, wait_text

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]


def test_a_paste_neither_ends_its_brackets_nor_runs_by_itself(
    terminal: Any, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    marks = f"() => {ACTIVE}.marksPastes"
    wait_until("bracketed paste", lambda: terminal.evaluate(marks))
    paste(terminal, f"touch {mark}\x1b[201~\r\x03")
    wait_text(terminal, f"touch {mark}")
    # What the shell gets later it answers later: a line that ran by itself would have run by now.
    terminal.keyboard.type("#")
    terminal.wait_for_function(f"() => {ACTIVE}.screen.text().endsWith('#')")
    assert not mark.exists()
    assert "Control characters were left out" in terminal.inner_text(".terminal-bars")
    terminal.keyboard.press("Enter")
    wait_until("the mark", mark.exists)


def test_a_question_about_a_paste_waits_while_the_guard_asks(
    terminal: Any, tmp_path: Path
) -> None:
    target = tmp_path / "pasted"
    enter(terminal, f"cat > {target}")
    marks = f"() => {ACTIVE}.marksPastes"
    wait_until("cat, which marks nothing", lambda: not terminal.evaluate(marks))
    paste(terminal, "one\ntwo\n")
    terminal.wait_for_selector(".terminal-bar >> text=Lines to paste: 2")
    asked = {"t": "guard", "id": 990, "action": "confirm", "command": "halt"}
    terminal.evaluate(f"(asked) => {{ {ACTIVE}.hear(asked); }}", asked)
    terminal.wait_for_selector(".terminal-bar >> text=halt")
    assert not terminal.is_visible("text=Lines to paste: 2")
    terminal.wait_for_selector(".terminal-bar[data-takes-keys] >> text=halt")
    terminal.keyboard.press("n")
    terminal.wait_for_selector(
        ".terminal-bar[data-takes-keys] >> text=Lines to paste: 2"
    )
    terminal.keyboard.press("y")
    wait_until("the paste", lambda: target.read_text() == "one\ntwo\n")
    assert terminal.locator(".terminal-bar").count() == 0
    assert terminal.complaints == []


def place_of(page: Any, text: str) -> tuple[float, float]:
    """Find where on the page the first letter of a line stands that begins so."""
    row = page.evaluate(
        f"""(text) => {{
        const {{ active }} = {ACTIVE}.screen.terminal.buffer;
        for (let at = active.viewportY; at < active.length; at += 1)
            if (active.getLine(at).translateToString(true).startsWith(text)) return at - active.viewportY;
        return -1;
        }}""",
        text,
    )
    assert row >= 0
    box = page.locator(".terminal-pane.is-active .xterm-screen").bounding_box()
    rows = page.evaluate(f"() => {ACTIVE}.screen.size.rows")
    return box["x"] + 8, box["y"] + (row + 0.5) * box["height"] / rows


def test_hostile_output_does_nothing(terminal: Any) -> None:
    terminal.context.grant_permissions(["clipboard-read", "clipboard-write"])
    terminal.evaluate("() => navigator.clipboard.writeText('mine')")
    title = terminal.title()
    attack = (
        r"printf '\033]0;evil\007\033]2;evil\033\\\033]52;c;ZXZpbA==\007"
        r"\033]8;;http://evil.example/\007link\033]8;;\007\033[21t\033P$qm\033\\"
        r"\033_x\033\\\033^x\033\\\033[5i\033[2147483647S\033]11;?\007 unharmed\n'"
    )
    enter(terminal, attack)
    wait_text(terminal, "link unharmed\n")
    assert terminal.title() == title
    assert terminal.evaluate("() => navigator.clipboard.readText()") == "mine"
    # The link is no link: no hand above it, no line below it, and a click leads nowhere.
    pages, url = list(terminal.context.pages), terminal.url
    where = place_of(terminal, "link unharmed")
    terminal.mouse.move(where[0] + 2, where[1])
    terminal.mouse.move(*where)
    assert terminal.locator(".terminal-box .xterm-cursor-pointer").count() == 0
    terminal.mouse.click(*where)
    terminal.keyboard.down("Control")
    terminal.mouse.click(*where)
    terminal.keyboard.up("Control")
    assert (terminal.context.pages, terminal.url) == (pages, url)
    terminal.evaluate(f"() => {ACTIVE}.screen.terminal.focus()")
    # Nothing was typed by the terminal in answer.
    enter(terminal, "echo still-$((3+3))")
    wait_text(terminal, "still-6\nready>")
    assert terminal.complaints == []

"""The replay of a terminal held against the terminal itself, both in a real browser: the same cells, colours, size and cursor."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import wait_until
from tests.e2e.terminal_page import ACTIVE, enter, wait_text

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]
REPLAY = "document.querySelector('[data-replay]').replay"
# All that is to be seen of a screen, but for its theme.
SEEN = """() => {
    const terminal = %s.screen.terminal;
    const buffer = terminal.buffer.active;
    const cell = (each) => [each.getChars(), each.getWidth(), each.getFgColorMode(), each.getFgColor(), each.getBgColorMode(),
        each.getBgColor(), each.isBold(), each.isUnderline(), each.isInverse()].join(" ");
    const row = (at) => {
        const line = buffer.getLine(buffer.baseY + at);
        return Array.from({ length: terminal.cols }, (_, column) => cell(line.getCell(column)));
    };
    return {
        rows: Array.from({ length: terminal.rows }, (_, at) => row(at)),
        cursor: [buffer.cursorX, buffer.cursorY],
        size: [terminal.cols, terminal.rows],
        text: %s.screen.text(),
    };
}"""


def test_the_replay_ends_with_the_very_screen_that_the_terminal_showed(
    terminal: Any, tmp_path: Path
) -> None:
    enter(terminal, "seq 1 60")
    wait_text(terminal, "60\nready>")
    enter(
        terminal,
        r"printf '\033[1;31mred\033[0m \033[48;5;22mdeep\033[0m \033[38;2;9;8;7mtrue\033[4mline\033[0m \346\274\242\345\255\227 \303\251\n'",
    )
    wait_text(terminal, "漢字 é\nready>")
    before = terminal.evaluate(f"() => {ACTIVE}.screen.size")
    terminal.set_viewport_size({"width": 1000, "height": 640})
    wait_until(
        "fewer columns",
        lambda: (
            terminal.evaluate(f"() => {ACTIVE}.screen.size")["columns"]
            < before["columns"]
        ),
    )
    kind = f"() => {ACTIVE}.screen.terminal.buffer.active.type"
    enter(terminal, f"vim -u NONE {tmp_path / 'file'}")
    wait_until("vim", lambda: terminal.evaluate(kind) == "alternate")
    terminal.keyboard.type("iin vim")
    terminal.keyboard.press("Escape")
    enter(terminal, ":wq")
    wait_until("the prompt", lambda: terminal.evaluate(kind) == "normal")
    enter(terminal, "echo af''ter")
    wait_text(terminal, "after\nready>")
    session = terminal.evaluate(f"() => {ACTIVE}.session.session")
    enter(terminal, "exit")
    terminal.wait_for_selector(".terminal-over:not([hidden])")
    live = terminal.evaluate(SEEN % (ACTIVE, ACTIVE))
    # Colours and wide characters are among what is seen.
    seen = {cell for row in live["rows"] for cell in row}
    assert {cell.split(" ")[0] for cell in seen} > {"漢", "é"}
    assert len({cell.split(" ", 2)[2] for cell in seen}) >= 5

    terminal.goto(f"/tasks/terminal-sessions/{session}/replay/")
    terminal.wait_for_selector("[data-replay] .xterm-screen")
    terminal.keyboard.press("End")
    wait_until(
        "the end of the recording",
        lambda: terminal.evaluate(
            f"() => {REPLAY}.player.stage.isOver && {REPLAY}.screen.parsing === 0"
        ),
    )
    replayed = terminal.evaluate(SEEN % (REPLAY, REPLAY))
    assert replayed["text"] == live["text"]
    assert replayed["size"] == live["size"]
    assert replayed["size"] != [before["columns"], before["rows"]]
    assert replayed["cursor"] == live["cursor"]
    assert replayed["rows"] == live["rows"]
    assert terminal.complaints == []

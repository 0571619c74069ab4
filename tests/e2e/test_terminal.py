"""Terminals in a real browser on real hosts: opened, typed in, resized, pasted into, lost and found again, watched, ended."""

import hashlib
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.browser import complaints_of
from tests.e2e.conftest import PASSWORD, Portal, sign_in, wait_until
from tests.e2e.terminal_page import (
    ACTIVE,
    MAKE_USER,
    enter,
    open_terminal,
    paste,
    screen,
    wait_live,
    wait_text,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]


def test_the_button_of_a_host_row_opens_a_terminal(
    signed_in: Any, terminal_hosts: list
) -> None:
    signed_in.goto("/cmdb/hosts/?q=terminal-host0")
    with signed_in.context.expect_page() as opened:
        signed_in.click("tbody .row-action[title=Terminal]")
    page = opened.value
    page.complaints = complaints_of(page)
    wait_live(page)
    enter(page, "echo hello-$((40+2)) 漢字")
    assert "hello-42 漢字" in wait_text(page, "hello-42")
    head = page.inner_text(".terminal-head")
    assert "terminal-host0" in head
    assert "connected" in head
    assert page.complaints == signed_in.complaints == []


def test_the_program_sees_the_size_of_the_window(terminal: Any) -> None:
    enter(terminal, "stty size")
    size = terminal.evaluate(f"() => {ACTIVE}.screen.size")
    wait_text(terminal, f"{size['rows']} {size['columns']}")
    terminal.set_viewport_size({"width": 900, "height": 620})
    terminal.wait_for_function(
        f"(columns) => {ACTIVE}.screen.size.columns < columns", arg=size["columns"]
    )
    smaller = terminal.evaluate(f"() => {ACTIVE}.screen.size")
    wanted = f"{smaller['rows']} {smaller['columns']}"
    enter(
        terminal,
        f"until [ \"$(stty size)\" = '{wanted}' ]; do sleep .05; done; echo fi''ts",
    )
    wait_text(terminal, "fits")
    assert terminal.complaints == []


def test_ten_kilobytes_arrive_as_they_were_pasted(
    terminal: Any, tmp_path: Path
) -> None:
    text = "".join(f"{number:04d} " + "x" * 94 + "\n" for number in range(103))
    target = tmp_path / "pasted"
    enter(terminal, f"cat > {target}")
    wait_until(
        "cat, which does not mark pastes",
        lambda: not terminal.evaluate(f"() => {ACTIVE}.marksPastes"),
    )
    paste(terminal, text)
    # Each line would run at once: it asks first.
    question = terminal.wait_for_selector(".terminal-bar[role=alertdialog]")
    assert "103" in question.inner_text()
    assert not target.read_text()
    terminal.wait_for_selector(".terminal-bar[data-takes-keys]")
    terminal.keyboard.press("y")
    wait_until("the paste", lambda: len(target.read_text()) == len(text))
    terminal.keyboard.press("Control+d")
    enter(terminal, f"sha256sum {target}")
    wait_text(terminal, hashlib.sha256(text.encode()).hexdigest())


def test_vim_runs_and_leaves_the_screen_as_it_was(
    terminal: Any, tmp_path: Path
) -> None:
    file = tmp_path / "written"
    enter(terminal, f"echo before; vim -u NONE {file}")
    buffer = f"() => {ACTIVE}.screen.terminal.buffer.active.type"
    wait_until("vim", lambda: terminal.evaluate(buffer) == "alternate")
    terminal.keyboard.type("iwritten in vim")
    terminal.keyboard.press("Escape")
    enter(terminal, ":wq")
    wait_until("the prompt", lambda: terminal.evaluate(buffer) == "normal")
    assert file.read_text() == "written in vim\n"
    shown = screen(terminal)
    assert "before" in shown
    assert "written in vim" not in shown
    assert terminal.complaints == []


@pytest.mark.timeout(120)
def test_yes_for_ten_seconds_stops_at_once(terminal: Any) -> None:
    enter(terminal, "yes")
    wait_text(terminal, "y\ny\ny")
    time.sleep(10)
    terminal.keyboard.press("Control+c")
    enter(terminal, "echo the-$((1+1))-end")
    began = time.monotonic()
    wait_text(terminal, "the-2-end", 5)
    assert time.monotonic() - began < 2
    assert terminal.complaints == []


def test_the_keys_of_the_portal_are_the_shells_in_a_terminal(terminal: Any) -> None:
    terminal.keyboard.type("echo gone")
    terminal.keyboard.press("Control+a")
    terminal.keyboard.press("Control+k")
    enter(terminal, "echo /jk?-$((2+3))")
    wait_text(terminal, "/jk?-5")
    assert not terminal.is_visible("#palette")


def test_a_reload_leads_back_to_the_same_shell(terminal: Any) -> None:
    enter(terminal, "kept=here-$$; echo $kept")
    shown = re.search(r"^here-(\d+)", wait_text(terminal, "\nhere-"), re.M)
    assert shown is not None
    terminal.reload()
    wait_live(terminal)
    # What stood on the screen stands there again.
    assert shown[0] in wait_text(terminal, "ready>")
    enter(terminal, "echo again-$kept")
    wait_text(terminal, f"again-{shown[0]}")
    assert terminal.complaints == []


def test_a_lost_connection_comes_back_without_a_gap(terminal: Any) -> None:
    enter(
        terminal, "for n in $(seq 1 300); do echo line-$n; sleep 0.01; done; echo rest"
    )
    wait_text(terminal, "line-20\n")
    terminal.evaluate(
        f"() => {{ window.before = {ACTIVE}.link.socket; window.before.close(); }}"
    )
    terminal.wait_for_function(
        f"() => {ACTIVE}.link.socket !== window.before && {ACTIVE}.live"
    )
    shown = wait_text(terminal, "\nrest")
    lines = [int(n) for n in re.findall(r"^line-(\d+)$", shown, re.M)]
    assert lines == list(range(1, 301))


def test_a_hidden_page_does_not_hold_the_host_up(terminal: Any, tmp_path: Path) -> None:
    hide = """(hidden) => { Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
        document.dispatchEvent(new Event("visibilitychange")); }"""
    mark = tmp_path / "mark"
    enter(terminal, f"clear; sleep 1; seq 1 400000; touch {mark}")
    terminal.evaluate(hide, True)
    wait_until("the end on the host", mark.exists)
    assert "399999" not in screen(terminal)
    terminal.evaluate(hide, False)
    # More than is kept: the newest is there, line by line.
    shown = wait_text(terminal, "400000\nready>").splitlines()
    lines = [int(line) for line in shown if line.isdecimal()]
    assert lines == list(range(lines[0], 400001))
    assert terminal.complaints == []


def test_what_is_typed_goes_to_all_that_are_included(
    signed_in: Any, terminal_hosts: list[int]
) -> None:
    page = signed_in
    open_terminal(page, *terminal_hosts)
    page.click("[data-together]")
    assert "Typing to 2 of 2" in page.inner_text("[data-together]")
    page.evaluate(f"() => {ACTIVE}.screen.terminal.focus()")
    enter(page, "echo both-$((4+4))")
    both = """(text) => window.adminsetTerminals.panes.map((pane) => pane.screen.text().includes(text))"""
    wait_until("both", lambda: page.evaluate(both, "both-8") == [True, True])
    page.locator("[data-part=included]").first.uncheck()
    page.evaluate(
        "() => window.adminsetTerminals.activate(window.adminsetTerminals.panes[1])"
    )
    enter(page, "echo one-$((5+5))")
    wait_until("one", lambda: page.evaluate(both, "one-10")[1])
    assert page.evaluate(both, "one-") == [False, True]
    assert page.complaints == []


def test_somebody_looks_on_and_ends_it(
    terminal: Any, portal: Portal, browser: Any
) -> None:
    portal.manage("shell", "-c", MAKE_USER.format(name="eve", password=PASSWORD))
    session = terminal.evaluate(f"() => {ACTIVE}.session.session")
    context = browser.new_context(base_url=portal.url, locale="en-US")
    other = context.new_page()
    other.complaints = complaints_of(other)
    sign_in(other, "eve")
    other.goto(f"/tasks/terminal/{session}/join/")
    other.wait_for_selector(".watch-room .terminal-pane[data-state=live]")
    terminal.wait_for_selector(".terminal-head >> text=watched by eve")
    enter(terminal, "echo seen-$((6+6))")
    seen = "() => window.adminsetWatch.pane.screen.text()"
    wait_until("what is watched", lambda: "seen-12" in other.evaluate(seen))
    # Who only looks on types nothing.
    other.evaluate("() => window.adminsetWatch.pane.screen.terminal.focus()")
    enter(other, "echo not-mine")
    enter(terminal, "echo mine")
    assert "not-mine" not in wait_text(terminal, "\nmine")
    other.goto(f"/tasks/terminal-sessions/{session}/kill/")
    other.click("main form[method=post] button[type=submit]")
    over = terminal.wait_for_selector(".terminal-over:not([hidden])")
    assert "eve" in over.inner_text()
    assert not terminal.evaluate(f"() => {ACTIVE}.live")
    assert terminal.complaints == other.complaints == []
    context.close()

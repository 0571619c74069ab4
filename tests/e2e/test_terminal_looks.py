"""What the page of terminals offers around the shell, in a real browser: tabs, split view, search, letters, colours, full screen, copy, a phone."""

from typing import Any

import pytest

from tests.e2e.conftest import wait_until
from tests.e2e.terminal_page import (
    ACTIVE,
    enter,
    open_terminal,
    wait_live,
    wait_text,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]
SIZES = "() => window.adminsetTerminals.panes.map((pane) => pane.screen.size)"
# Widths of the cells of the first line that holds a text.
WIDTHS = f"""(text) => {{
    const {{ active }} = {ACTIVE}.screen.terminal.buffer;
    const lines = Array.from({{ length: active.length }}, (_, at) => active.getLine(at));
    const line = lines.find((each) => each.translateToString(true).startsWith(text));
    return Array.from({{ length: 6 }}, (_, at) => line.getCell(at).getWidth());
}}"""
ASKED = {
    "t": "guard",
    "id": 990,
    "action": "confirm",
    "command": "rm -rf /srv/shop",
    "words": "This removes files for good.",
}


def hear(page: Any, message: dict[str, Any]) -> None:
    """Have the active terminal hear what a server may say."""
    page.evaluate(f"(message) => {{ {ACTIVE}.hear(message); }}", message)


def test_tabs_are_walked_by_key_and_two_terminals_stand_side_by_side(
    signed_in: Any, terminal_hosts: list[int]
) -> None:
    page = signed_in
    open_terminal(page, *terminal_hosts)
    # Several are opened side by side: each program sees the size of its own half.
    first, second = page.evaluate(SIZES)
    for pane, size in enumerate((first, second)):
        page.evaluate(
            "(at) => window.adminsetTerminals.activate(window.adminsetTerminals.panes[at])",
            pane,
        )
        enter(page, "stty size")
        wait_text(page, f"{size['rows']} {size['columns']}")
    assert page.locator(".terminal-pane:visible").count() == 2
    page.click("[data-view=split]")
    assert page.locator(".terminal-pane:visible").count() == 1
    wait_until(
        "the whole width",
        lambda: page.evaluate(SIZES)[1]["columns"] > second["columns"],
    )
    chosen = "[role=tab][aria-selected=true]"
    before = page.inner_text(chosen)
    page.keyboard.press("Control+Shift+ArrowRight")
    page.wait_for_function(
        "(name) => document.querySelector('[role=tab][aria-selected=true]').innerText !== name",
        arg=before,
    )
    enter(page, "echo in-$((20+2))")
    wait_text(page, "in-22")
    page.keyboard.press("Control+Shift+ArrowLeft")
    assert page.inner_text(chosen) == before
    assert page.complaints == []


def test_a_search_finds_counts_and_goes_on(terminal: Any) -> None:
    enter(terminal, "clear; seq 1 300 | sed 's/^/need''le-/'")
    wait_text(terminal, "needle-300\nready>")
    terminal.keyboard.press("Control+Shift+F")
    terminal.keyboard.type("needle-29")
    terminal.keyboard.press("Enter")
    count = "[data-part=count]"
    terminal.wait_for_selector(f"{count} >> text=of 11")
    first = terminal.inner_text(count)

    def goes_on() -> bool:
        # Right after output xterm.js looks anew, and stands where it was.
        terminal.keyboard.press("Enter")
        return bool(terminal.inner_text(count) != first)

    wait_until("the next", goes_on)
    terminal.keyboard.press("Escape")
    assert not terminal.is_visible(".terminal-search")
    enter(terminal, "echo back-$((3+4))")
    wait_text(terminal, "back-7")
    assert terminal.complaints == []


def test_letters_and_colours_are_kept_over_a_reload(terminal: Any) -> None:
    [before] = terminal.evaluate(SIZES)
    for _click in range(4):
        terminal.click("[data-view=larger]")
    wait_until(
        "fewer columns",
        lambda: terminal.evaluate(SIZES)[0]["columns"] < before["columns"],
    )
    terminal.select_option("[data-view=theme]", "paper")
    colour = "() => getComputedStyle(document.querySelector('.terminal-pane.is-active [data-box]')).backgroundColor"
    assert terminal.evaluate(colour) == "rgb(250, 244, 230)"
    [larger] = terminal.evaluate(SIZES)
    terminal.reload()
    wait_live(terminal)
    assert terminal.evaluate(SIZES) == [larger]
    assert terminal.evaluate(colour) == "rgb(250, 244, 230)"
    assert terminal.complaints == []


def test_full_screen_gives_the_program_the_whole_screen_and_back(terminal: Any) -> None:
    [before] = terminal.evaluate(SIZES)
    full = (
        "() => document.fullscreenElement === document.querySelector('.terminal-room')"
    )
    terminal.click("[data-view=full]")
    wait_until("full screen", lambda: terminal.evaluate(full))
    wait_until(
        "more rows", lambda: terminal.evaluate(SIZES)[0]["rows"] > before["rows"]
    )
    terminal.click("[data-view=full]")
    wait_until(
        "the page again",
        lambda: terminal.evaluate(SIZES)[0]["rows"] == before["rows"],
    )
    # The keyboard is the shell's again.
    enter(terminal, "echo back-$((4+5))")
    wait_text(terminal, "back-9")
    assert terminal.complaints == []


def test_a_chinese_character_takes_two_cells_and_is_copied_as_one(
    terminal: Any,
) -> None:
    terminal.context.grant_permissions(["clipboard-read", "clipboard-write"])
    enter(terminal, r"clear; printf '\346\274\242\345\255\227 x\n'")
    wait_text(terminal, "漢字 x\nready>")
    assert terminal.evaluate(WIDTHS, "漢字") == [2, 0, 2, 0, 1, 1]
    at = f"{ACTIVE}.screen.terminal"
    terminal.evaluate(f"() => {{ {at}.select(0, {at}.buffer.active.baseY, 6); }}")
    terminal.keyboard.press("Control+Shift+C")
    terminal.wait_for_selector(".terminal-bar >> text=Copied")
    assert terminal.evaluate("() => navigator.clipboard.readText()") == "漢字 x"
    assert terminal.complaints == []


def test_on_a_phone_a_question_covers_no_button_and_nothing_is_missing(
    terminal: Any,
) -> None:
    terminal.set_viewport_size({"width": 390, "height": 800})
    hear(terminal, ASKED)
    bar = terminal.wait_for_selector(".terminal-bar[role=alertdialog]").bounding_box()
    head = terminal.locator(".terminal-head").bounding_box()
    assert bar["y"] >= head["y"] + head["height"]
    for needed in (
        "[data-part=login]",
        "[data-view=reader]",
        ".terminal-head [data-act=close]",
    ):
        assert terminal.is_visible(needed), needed
    assert terminal.evaluate("document.documentElement.scrollWidth") <= 390
    # Tab leads from the shell to the buttons of what is asked.
    terminal.evaluate(f"() => {ACTIVE}.screen.terminal.focus()")
    terminal.keyboard.press("Tab")
    assert terminal.evaluate("() => document.activeElement.closest('.terminal-bar')")


def test_the_bell_is_seen(terminal: Any) -> None:
    terminal.evaluate(
        """() => { window.rang = false; new MutationObserver(() => (window.rang ||= Boolean(document.querySelector('.is-ringing'))))
        .observe(document.querySelector('.terminal-room'), { attributes: true, subtree: true, attributeFilter: ['class'] }); }"""
    )
    enter(terminal, r"printf '\a'; echo rung-$((1+1))")
    wait_text(terminal, "rung-2")
    wait_until("a light", lambda: terminal.evaluate("() => window.rang"))
    terminal.wait_for_selector(".terminal-pane:not(.is-ringing)")
    assert terminal.locator(".is-ringing").count() == 0


def test_a_restart_of_the_portal_is_named(terminal: Any) -> None:
    # Nothing else of the portal is asked meanwhile, as if it were away.
    terminal.route("**/ticket/", lambda route: route.abort())
    terminal.evaluate(
        f"() => {{ {ACTIVE}.link.socket.dispatchEvent(new CloseEvent('close', {{ code: 1012 }})); }}"
    )
    terminal.wait_for_selector(".terminal-head >> text=The portal restarts")
    terminal.unroute("**/ticket/")
    wait_live(terminal)
    enter(terminal, "echo there-$((2+2))")
    wait_text(terminal, "there-4")
    head = terminal.locator(".terminal-head").first
    assert "The portal restarts" not in head.inner_text()

"""The replay in a real browser: the screen of any moment, speed, idle time, commands, keys; nothing that a host printed does harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page

from accounts.models import User
from tasks.models import TerminalCommand, TerminalSession
from tasks.recording.recorder import Recorder
from tests.browser import CHROMIUM, page_of
from tests.tasks.recording.recordings import Clock

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium"),
]
REPLAY = "document.querySelector('[data-replay]')?.replay"
SCREEN = f"{REPLAY}?.screen.text() ?? ''"
AT = f"{REPLAY}?.player.at"
HOSTILE = b"\x1b]0;title\x07\x1b]52;c;aGFybQ==\x07<img src=x onerror=alert(1)>\r\n"


@pytest.fixture
def page(
    live_server: Any,
    client_of: Callable[[User], Client],
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Page]:
    """A browser with the administrator signed in; nothing that it says on its console is a mistake."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with page_of(live_server.url, client_of(admin)) as opened:
        yield opened


@pytest.fixture
def replay(
    session: TerminalSession, record: Callable[..., Recorder], clock: Clock
) -> str:
    """The address of a replay: two minutes of silence in it, an editor, another size, the end at 126 s."""
    recorder = record(session, b"$ ", b"first\r\n", HOSTILE)
    TerminalCommand.objects.create(
        session=session, number=1, at_ms=recorder.mark("first"), text="first <b>"
    )
    clock.go(120)
    recorder.output("$ vim 文件\r\n\x1b[?1049h\x1b[2J\x1b[5;3Hin the editor".encode())
    recorder.flush()
    TerminalCommand.objects.create(
        session=session, number=2, at_ms=recorder.mark("vim"), text="vim 文件"
    )
    clock.go(1)
    recorder.resize(100, 30)
    recorder.output(b"\x1b[30;90Hcorner")
    clock.go(1)
    recorder.output(b"\x1b[?1049l$ last\r\n")
    clock.go(1)
    recorder.output(b"$ ")
    recorder.close()
    return reverse("tasks:terminalsession_replay", args=[session.pk])


def until(page: Page, expression: str, right: Callable[[Any], bool]) -> Any:
    """Wait until what stands in the page is right; the CSP refuses functions that wait there."""
    for _number in range(100):
        found = page.evaluate(expression)
        if right(found):
            return found
        page.wait_for_timeout(100)
    raise AssertionError(f"{expression} is still {found!r}")


def test_any_moment_can_be_seen_forwards_and_back(page: Page, replay: str) -> None:
    page.goto(f"{replay}?at=123500")
    until(page, SCREEN, lambda text: "in the editor" in text)
    assert "first" not in page.evaluate(SCREEN)
    page.keyboard.press("End")
    last = until(page, SCREEN, lambda text: "$ last" in text)
    lines = last.splitlines()
    assert lines[0] == "$ first"
    assert "<img src=x onerror=alert(1)>" in lines[1]
    assert lines[2:] == ["$ vim 文件", "$ last", "$"]
    assert "editor" not in last
    # The keys work where the screen has the focus, too; nothing is typed there.
    page.click("[data-screen]")
    page.keyboard.press("Home")
    until(page, SCREEN, lambda text: text == "")
    page.keyboard.type("xyz")
    page.keyboard.press("End")
    assert until(page, SCREEN, lambda text: "$ last" in text) == last
    assert page.title().startswith("Replay")


def test_the_size_is_the_one_of_the_moment(page: Page, replay: str) -> None:
    size = f"{REPLAY}?.screen.size"
    page.goto(f"{replay}?at=124500")
    until(page, size, lambda found: found == {"columns": 100, "rows": 30})
    text = until(page, SCREEN, lambda text: "corner" in text)
    assert text.splitlines()[29].endswith("corner")
    page.keyboard.press("Home")
    until(page, size, lambda found: found == {"columns": 80, "rows": 24})


def test_it_plays_skips_idle_time_and_stops_at_the_end(page: Page, replay: str) -> None:
    page.goto(replay)
    page.wait_for_selector("[data-replay] .xterm-screen")
    page.select_option("[data-speed]", "16")
    page.click("[data-play]")
    until(page, SCREEN, lambda text: "$ last" in text)
    until(page, AT, lambda at: at == 126_000)
    assert page.get_attribute("[data-play]", "aria-pressed") == "false"
    assert page.inner_text("[data-clock]") == "2:06"


def test_commands_are_jumped_to_by_click_and_by_key(page: Page, replay: str) -> None:
    page.goto(replay)
    page.click("text=vim 文件")
    until(page, SCREEN, lambda text: "in the editor" in text)
    assert page.get_attribute("[data-jump] >> nth=1", "aria-current") == "true"
    page.keyboard.press("[")
    until(page, AT, lambda at: at == 3000)
    page.keyboard.press("]")
    until(page, AT, lambda at: at == 123_000)


def test_a_narrow_window_has_no_overflow(page: Page, replay: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(replay)
    page.wait_for_selector("[data-replay] .xterm-screen")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_search_leads_into_the_replay(page: Page, replay: str) -> None:
    page.goto(f"{reverse('tasks:terminal_search')}?q=last")
    page.click("#found-outputs >> xpath=../.. >> text=db1")
    assert "$ last" in until(page, SCREEN, lambda text: "$ last" in text)

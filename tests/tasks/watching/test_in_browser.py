"""The page of a run in a real browser: a log of many megabytes, its window, its search, another host beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page

from accounts.models import User
from tasks.models import Run, RunHost
from tasks.output import Hints, OutputFile, path_of
from tests.browser import CHROMIUM, page_of
from tests.factories import make_host
from tests.tasks.watching.conftest import Ended

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="there is no Chromium"),
]
LINE = "line %07d: something happened, and nobody knows why\n"
LINES = 200_000
MOST_SHOWN = 1_200_000


@pytest.fixture
def page(
    live_server: Any,
    client_of: Callable[[User], Client],
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Page]:
    """A browser with the administrator signed in; nothing that it says on its console is a mistake."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    # The live server has no web sockets: that the page can do without them is what is shown here.
    with page_of(
        live_server.url,
        client_of(admin),
        excused=lambda text: "WebSocket" in text,
    ) as opened:
        yield opened


def shown(page: Page, selector: str = "[data-text]") -> str:
    return page.evaluate("s => document.querySelector(s)?.textContent", selector)


def until(page: Page, wanted: str, selector: str = "[data-text]") -> None:
    """Wait until a text stands somewhere; a function that waits in the page would need eval, which the CSP refuses."""
    for _number in range(100):
        if wanted in (shown(page, selector) or ""):
            return
        page.wait_for_timeout(100)
    raise AssertionError(
        f"{wanted!r} did not come; there is: {shown(page, selector)[:500]}"
    )


def test_of_a_long_log_a_window_stands_in_the_page_and_any_part_can_be_reached(
    page: Page, ended: Ended
) -> None:
    text = "".join(LINE % number for number in range(LINES)).encode()
    first, second = make_host("h1"), make_host("h2")
    said = {first: ("failed", 1, b""), second: ("ok", 0, b"\x1b[32mgreen\x1b[0m\n")}
    run = ended(said, status="failed")
    row = run.hosts.get(host=first)
    path_of(run.pk, row.pk).write_bytes(text)
    RunHost.objects.filter(pk=row.pk).update(
        output_bytes=len(text), stored_bytes=len(text), output_hash="x"
    )
    page.goto(run.get_absolute_url())
    until(page, f"line {LINES - 1:07d}")
    page.click("[data-to-start]")
    until(page, "line 0000000")
    assert shown(page).startswith("line 0000000")
    for _number in range(200):
        if "line 0025000" in shown(page):
            break
        page.evaluate("document.querySelector('[data-text]').scrollTop = 1e9")
        page.wait_for_timeout(100)
    assert len(shown(page)) <= MOST_SHOWN
    assert "line 0025000" in shown(page)
    assert "line 0000000" not in shown(page)
    page.fill("[data-find]", "line 0123456")
    until(page, "line 123457, 1 of 1", "[data-find-count]")
    until(page, "line 0123456")
    assert len(shown(page)) <= MOST_SHOWN
    page.click("#run-host-list >> text=h2")
    until(page, "green", "[data-text] .ansi-32")
    assert page.inner_text("#run-row h2") == "h2"
    assert page.url.endswith(f"?host={run.hosts.get(host=second).pk}")


def test_what_is_printed_comes_without_a_socket_too_and_badges_turn(
    page: Page, ended: Ended
) -> None:
    host = make_host("h1")
    run = ended({host: ("running", None, b"")}, status="running")
    row = run.hosts.get()
    page.goto(run.get_absolute_url())
    file = OutputFile(run.pk, row.pk, [], Hints(run.pk))
    file.write("温度 10%\r温度 90%\r<b>done</b>\n".encode())
    page.wait_for_selector("[data-text] >> text=<b>done</b>", timeout=10_000)
    file.write(b"and more\n")
    file.close()
    RunHost.objects.update(status="ok", exit_code=0)
    Run.objects.update(status="ok", done_count=1, ok_count=1)
    page.wait_for_selector("[data-text] >> text=and more", timeout=10_000)
    page.wait_for_selector("[data-run-status] >> text=ok", timeout=10_000)
    page.wait_for_selector("[data-connection] >> text=finished", timeout=10_000)
    assert "10%" not in shown(page)


def test_hosts_that_say_it_are_looked_for_and_a_narrow_window_has_no_overflow(
    page: Page, ended: Ended, tmp_path: Path
) -> None:
    said = {
        make_host(f"h{number}"): ("ok", 0, b"a\nneedle %d\n" % (number % 3))
        for number in range(6)
    }
    run = ended(said)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(run.get_absolute_url())
    page.click("text=Which hosts say")
    page.fill("#run-hosts [name=q]", "needle 2")
    page.keyboard.press("Enter")
    page.wait_for_selector("#run-found >> text=2 say it")
    page.click("#run-found >> text=h5")
    page.wait_for_selector("#run-row h2 >> text=h5")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390

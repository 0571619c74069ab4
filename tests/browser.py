"""A real Chromium for tests: before the pages of a live server, and what a page complains about."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.test import Client
from playwright.sync_api import Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def complaints_of(
    page: Any, excused: Callable[[str], bool] = lambda text: False
) -> list[str]:
    """Gather from now on what a page says on its console that is a mistake, a break of the CSP among it."""
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "console",
        lambda message: (
            said.append(message.text)
            if message.type == "error" and not excused(message.text)
            else None
        ),
    )
    return said


@contextmanager
def page_of(
    url: str,
    client: Client,
    excused: Callable[[str], bool] = lambda text: False,
    **options: Any,
) -> Iterator[Page]:
    """Open a browser in which somebody is signed in; what a page complains about, but for what is excused, fails the test.

    Whoever uses it sets DJANGO_ALLOW_ASYNC_UNSAFE: playwright's event loop runs in the test's thread.
    """
    with sync_playwright() as player:
        browser = player.chromium.launch(
            executable_path=str(CHROMIUM), args=CHROMIUM_OPTIONS
        )
        context = browser.new_context(base_url=url, **options)
        context.add_cookies(
            [
                {"name": name, "value": one.value, "url": url}
                for name, one in client.cookies.items()
            ]
        )
        page = context.new_page()
        complaints = complaints_of(page, excused)
        yield page
        browser.close()
    assert complaints == []

"""The page of watchers and guests in a real browser: the owner's screen in its size, typing only when invited to, locking."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import complaints_of
from tests.e2e.conftest import PASSWORD, Portal, sign_in, wait_until
from tests.e2e.terminal_page import (
    ACTIVE,
    MAKE_USER,
    enter,
    make_hosts,
    open_terminal,
    wait_text,
)
from tests.farm import SshFarm, why_not

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("portal")]
PANE = "window.adminsetWatch.pane"
# Other tests of terminals make hosts of the same names.
STEP_ASIDE = """
from cmdb.models import Credential, Host
for row in Credential.objects.filter(name="terminals"):
    Credential.objects.filter(pk=row.pk).update(name=f"terminals {row.pk}")
for row in Host.objects.filter(hostname__startswith="terminal-"):
    Host.objects.filter(pk=row.pk).update(hostname=f"watched-{row.pk}")
"""


@pytest.fixture(scope="module")
def host(portal: Portal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real host in the CMDB."""
    if why_not():
        pytest.skip(why_not())
    folder = tmp_path_factory.mktemp("watched")
    portal.manage("shell", "-c", STEP_ASIDE)
    with SshFarm(1, folder / "farm") as farm:
        yield make_hosts(portal, farm, folder / "told.json")[0]
    portal.manage("shell", "-c", STEP_ASIDE)


@pytest.fixture
def terminal(page: Any, host: int) -> Any:
    """The owner's page, at the prompt."""
    sign_in(page)
    open_terminal(page, host)
    enter(page, "PS1='ready> '; clear")
    wait_text(page, "ready>")
    return page


@pytest.fixture
def other(browser: Any, portal: Portal) -> Iterator[Any]:
    """The page of somebody else, who may do everything."""
    portal.manage("shell", "-c", MAKE_USER.format(name="gus", password=PASSWORD))
    context = browser.new_context(
        base_url=portal.url, viewport={"width": 700, "height": 500}, locale="en-US"
    )
    opened = context.new_page()
    opened.complaints = complaints_of(opened)
    sign_in(opened, "gus")
    yield opened
    context.close()


def watched(page: Any, text: str) -> None:
    """Wait until the watcher's screen shows a text."""
    page.wait_for_function(
        f"(text) => {PANE}.screen.text().includes(text)", arg=text, timeout=15_000
    )


def looks_of_ones_own(other: Any, size: dict[str, int]) -> None:
    """See that the watcher's letters, and the full screen, are the watcher's own."""
    letters = f"() => {PANE}.screen.terminal.options.fontSize"
    before = other.evaluate(letters)
    other.click("[data-view=smaller]")
    assert other.evaluate(letters) == before - 1
    assert other.evaluate(f"() => {PANE}.screen.size") == size
    other.click("[data-view=full]")
    full = "() => document.fullscreenElement?.matches('.watch-room')"
    wait_until("full screen", lambda: other.evaluate(full))
    other.click("[data-view=full]")
    wait_until("the page again", lambda: not other.evaluate(full))


@pytest.mark.timeout(480)
def test_watching_being_invited_and_locking(terminal: Any, other: Any) -> None:
    session = terminal.evaluate(f"() => {ACTIVE}.session.session")
    page = f"/tasks/terminal-sessions/{session}/"
    other.goto(f"{page}watch/")
    other.wait_for_selector(".terminal-pane[data-state=live]")
    terminal.wait_for_selector(".terminal-head >> text=watched by gus")
    enter(terminal, "echo seen-$((6+6))")
    watched(other, "seen-12")
    size = terminal.evaluate(f"() => {ACTIVE}.screen.size")
    assert other.evaluate(f"() => {PANE}.screen.size") == size
    # The watcher's window is smaller: the page scrolls in itself, not the owner's.
    assert other.evaluate("document.documentElement.scrollWidth") <= 700
    looks_of_ones_own(other, size)
    other.evaluate(f"() => {PANE}.screen.terminal.focus()")
    other.keyboard.type("echo not-mine")

    own = terminal.context.new_page()
    own.goto(f"{page}invite/")
    own.fill("[name=user]", "gus")
    own.check("[name=may_write]")
    own.click("main form button[type=submit]")
    own.wait_for_selector("text=gus is invited")
    other.reload()
    other.wait_for_selector(".terminal-pane[data-state=live]")
    wait_until("typing", lambda: other.evaluate(f"() => {PANE}.live"))
    other.evaluate(f"() => {PANE}.screen.terminal.focus()")
    # A program asks where the cursor is: it gets one answer, the owner's.
    enter(other, "printf '\\033[6n'; read -rsd R place; echo typed-$((7+7))-${#place}")
    shown = wait_text(terminal, "typed-14-")
    assert "not-mine" not in shown
    enter(terminal, "echo end-$((8+8))")
    assert ";" not in wait_text(terminal, "end-16").rpartition("typed-14-")[2]

    other.click("main >> text=Lock")
    other.wait_for_selector("text=Locked by gus")
    terminal.wait_for_selector(".terminal-pane.is-locked")
    enter(terminal, "echo locked-$((9+9))")
    other.click("main >> text=Unlock")
    other.wait_for_selector("text=is unlocked")
    terminal.wait_for_function(f"() => {ACTIVE}.live")
    enter(terminal, "echo free-$((1+1))")
    assert "locked-18" not in wait_text(terminal, "free-2")
    own.goto(f"{page}?tab=commands")
    assert "gus" in own.inner_text("main")
    assert terminal.complaints == other.complaints == []

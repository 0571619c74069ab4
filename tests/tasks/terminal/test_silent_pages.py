"""Pages that do not read their sockets: they are given up, type nothing once they were sent away, and keep nobody waiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import HostGroup
from tasks.terminal import control, entering, patience, sockets
from tasks.terminal.viewers import Viewer
from tests.factories import grant, make_user
from tests.tasks.terminal.things import (
    Page,
    begin,
    come,
    in_thread,
    row_becomes,
    run,
    terminal_of,
    until,
)

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]


def viewer_of(session: Any, name: str) -> Viewer:
    """Give the page of a user, as the terminal knows it."""
    viewers = terminal_of(session).audience.all()
    return next(one for one in viewers if one.user.username == name)


async def stop_reading(page: Page) -> None:
    """Let the network to a page be full: the next but one thing that it is sent waits."""
    while not page.output_queue.empty():
        await page.read()
    page.output_queue._maxsize = 1  # type: ignore[attr-defined]


async def is_over(page: Page) -> None:
    """Wait until the portal has nothing to do with a page any more."""
    await until(page.future.done)
    await page.future


@pytest.fixture
def guest(group: HostGroup) -> User:
    """May open terminals in the group, and be invited to type."""
    made = make_user("guest")
    grant(made, ["cmdb.terminal_host", "cmdb.use_credential"], [group])
    return made


def test_a_guest_who_was_sent_away_and_reads_nothing_types_nothing(
    opened: Opened, worker: User, guest: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing but the order itself may keep the guest from it.
    monkeypatch.setattr(patience, "LAST_SECONDS", 600.0)
    monkeypatch.setattr(patience, "SEND_SECONDS", 600.0)
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        row = await in_thread(
            control.invite, actor=worker, session=session, user=guest, may_write=True
        )
        other = await come(session, guest)
        assert (await other.hears("ready"))["may_write"]
        await stop_reading(other)
        viewer = viewer_of(session, "guest")
        await page.type("echo some; echo more\n")
        await until(other.output_queue.full)
        await in_thread(control.send_away, actor=worker, guest=row)
        await until(lambda: viewer.goodbye is not None)
        await other.type("echo intruder\n")
        await other.say("answer", id=1, yes=True)
        await page.type("echo after$((1+1))\n")
        assert b"intruder" not in await page.shows("after2")
        assert not viewer.may_type
        other.future.cancel()
        await page.leave()

    run(scene)


def test_an_invitation_anew_brings_no_page_back_that_was_sent_away(
    worker: User,
) -> None:
    viewer = Viewer(worker, "guest", True, None, lambda: None)
    viewer.close(4403)
    viewer.may("guest", types=True)
    assert not viewer.may_type


def test_a_page_that_takes_nothing_is_given_up_and_its_shell_is_away(
    opened: Opened, worker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        terminal = terminal_of(session)
        monkeypatch.setattr(patience, "SEND_SECONDS", 0.3)
        await stop_reading(page)
        await page.type("seq 1 100000\n")
        await is_over(page)
        assert terminal.audience.all() == []
        assert terminal.audience.away_since is not None
        await row_becomes(session, "away")

    run(scene)


def test_a_page_that_says_nothing_to_what_it_was_sent_is_given_up(
    opened: Opened, worker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type("echo some$((1+1))\n")
        await page.shows("some2")
        monkeypatch.setattr(patience, "SILENT_SECONDS", 0.3)
        page.acknowledges = False
        await page.type("echo more\n")
        await is_over(page)
        assert (await row_becomes(session, "away")).is_open

    run(scene)


def test_a_page_whose_place_another_takes_is_let_go_though_it_reads_nothing(
    opened: Opened, worker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LAST_SECONDS", 0.2)
    monkeypatch.setattr(patience, "SEND_SECONDS", 600.0)
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        viewer = viewer_of(session, worker.username)
        await stop_reading(page)
        await page.type("echo some; echo more\n")
        await until(page.output_queue.full)
        again = await come(session, worker)
        await again.hears("ready")
        assert not viewer.may_type
        await is_over(page)
        assert (await row_becomes(session, "live")).is_open
        await again.leave()

    run(scene)


def test_a_page_that_was_told_the_end_keeps_nothing_of_the_terminal(
    opened: Opened, worker: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        terminal = terminal_of(session)
        terminal.end("Enough.")
        assert (await page.hears("end"))["words"] == "Enough."
        # Its browser has not answered yet.
        await until(lambda: terminal.audience.all() == [])
        await row_becomes(session, "ended")
        await page.leave()

    run(scene)


def test_a_page_whose_question_waits_stops_no_other_one(
    opened: Opened, worker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, _hello = opened()
    asked, answered = threading.Event(), threading.Event()

    def may_come(_user: Any, key: str) -> bool:
        if key == "slow":
            asked.set()
            answered.wait(20)
        return False

    monkeypatch.setattr(entering, "may_come", may_come)

    async def scene() -> None:
        slow, other = Page("slow", worker), Page(session.key, worker)
        opening = asyncio.create_task(slow.open())
        await until(asked.is_set)
        assert not await other.open()
        assert not opening.done()
        answered.set()
        assert not await opening
        await slow.leave()
        await other.leave()

    with ThreadPoolExecutor(2) as desk:
        monkeypatch.setattr(sockets, "DESK", desk)
        run(scene)

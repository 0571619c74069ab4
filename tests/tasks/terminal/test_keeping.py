"""Terminals of a process and their rows: leases, lost processes, the limit of a process, a second page, the sign-in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import PortalSession, User
from adminset import redis_door
from adminset.models import AuditEntry
from tasks.models import TerminalGuest, TerminalSession
from tasks.tasks import REAPER, reap_runs
from tasks.terminal import keeper, recheck
from tasks.terminal.opening import ticket_for
from tasks.terminal.reaping import reap_lost
from tasks.terminal.registry import REGISTRY
from tests.tasks.terminal.things import Page, begin, in_thread, row_of, run, until

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]


async def row_shows(
    session: TerminalSession, wanted: Callable[[TerminalSession], Any]
) -> TerminalSession:
    """Wait until a session's row is as wanted."""
    for _number in range(300):
        if wanted(row := await row_of(session)):
            return row
        await asyncio.sleep(0.05)
    raise AssertionError(f"it is not: {row.__dict__}")


def test_a_live_terminal_renews_its_lease_and_counts(
    opened: Opened, worker: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "RENEW_SECONDS", 0.3)
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type("echo some$((1+1))\n")
        await page.shows("some2")
        first = await row_of(session)
        later = await row_shows(
            session, lambda row: row.lease_until > first.lease_until and row.bytes_out
        )
        assert (later.state, later.columns, later.rows) == ("live", 100, 30)
        assert later.last_input_at is not None
        await page.say("resize", columns=90, rows=20)
        await page.hears("size")
        row = await row_shows(session, lambda row: row.columns == 90)
        assert row.rows == 20
        assert await in_thread(reap_lost) == 0
        await page.leave()

    run(scene)


def test_the_sessions_of_a_process_that_died_are_found(
    opened: Opened, worker: User
) -> None:
    (died, _hello), (lives, _hello), (waits, _hello) = opened(), opened(), opened()
    now = timezone.now()
    rows = TerminalSession.objects
    rows.filter(pk=died.pk).update(
        state="live", process="web9:1", lease_until=now - timedelta(seconds=1)
    )
    rows.filter(pk=lives.pk).update(
        state="away", process="web9:2", lease_until=now + timedelta(seconds=20)
    )
    TerminalGuest.objects.create(session=died, username="guest", joined_at=now)
    redis_door.note(REAPER, "was here", 15)
    reap_runs()
    for one in (died, lives, waits):
        one.refresh_from_db()
    assert (died.state, lives.state, waits.state) == ("lost", "away", "opening")
    assert "web9:1" in died.end_reason
    assert died.ended_at is not None
    assert TerminalGuest.objects.get().left_at is not None
    line = AuditEntry.objects.get(verb="terminal.lost")
    assert (line.actor_name, line.target_id) == ("reaper", str(died.pk))


def test_a_session_for_which_no_page_came_ends(opened: Opened) -> None:
    session, _hello = opened()
    assert reap_lost() == 0
    TerminalSession.objects.update(opened_at=timezone.now() - timedelta(minutes=5))
    assert reap_lost() == 1
    session.refresh_from_db()
    assert (session.state, session.end_reason) == ("ended", "No page came for it.")


def test_a_process_takes_no_more_than_it_may(
    opened: Opened, worker: User, settings: Any
) -> None:
    settings.TERMINAL_PROCESS_MOST = 1
    (one, one_hello), (other, other_hello) = opened(), opened()

    async def scene() -> None:
        page = await begin(one, worker, one_hello)
        late = Page(other.key, worker)
        await late.open(other_hello)
        assert "as many terminals as it may" in (await late.hears("end"))["words"]
        assert await late.closes() == 4403
        assert (await row_of(other)).state == "refused"
        await late.leave()
        await page.leave()

    run(scene)
    assert AuditEntry.objects.filter(verb="terminal.refuse").count() == 1


def test_a_terminal_that_another_process_holds_is_told_of(
    opened: Opened, worker: User
) -> None:
    session, hello = opened()
    TerminalSession.objects.update(state="live", process="web9:1")

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        assert "Another process" in (await page.hears("end"))["words"]
        assert await page.closes() == 4404
        await page.leave()

    run(scene)


def test_a_shell_that_is_over_is_told_of_with_why(opened: Opened, worker: User) -> None:
    session, hello = opened()
    TerminalSession.objects.update(state="ended", end_reason="Ended by chief.")

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        assert "Ended by chief." in (await page.hears("end"))["words"]
        assert await page.closes() == 4404
        await page.leave()

    run(scene)


def test_typing_keeps_the_sign_in_alive_and_looking_does_not(
    opened: Opened,
    worker: User,
    client_of: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.TERMINAL_RECHECK_SECONDS = 1
    looks: list[None] = []
    look = recheck.look
    monkeypatch.setattr(recheck, "look", lambda *told: looks.append(look(*told)))
    key = client_of(worker).cookies["sessionid"].value
    then = timezone.now() - timedelta(seconds=300)
    session, hello = opened()

    async def two_looks() -> None:
        before = len(looks)
        await until(lambda: len(looks) >= before + 2)

    async def scene() -> None:
        page = Page(session.key, worker, session_key=key)
        await page.open(hello)
        await page.hears("ready")
        await two_looks()
        await in_thread(PortalSession.objects.update, seen_at=then)
        await two_looks()
        assert (await in_thread(PortalSession.objects.get)).seen_at == then
        await page.type("\n")
        await two_looks()
        assert (await in_thread(PortalSession.objects.get)).seen_at > then
        await page.leave()

    run(scene)


def test_two_pages_that_come_at_once_share_one_shell(
    opened: Opened, worker: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        second = await in_thread(ticket_for, actor=worker, session=session)
        pages = [Page(session.key, worker), Page(session.key, worker)]
        hellos = [hello, hello | {"ticket": second}]
        await asyncio.gather(
            *(page.open(one) for page, one in zip(pages, hellos, strict=True))
        )
        await pages[1].hears("ready")
        assert len(REGISTRY.all()) == 1
        assert await pages[0].closes() == 4404
        await pages[1].type("echo one$((1+1))\n")
        await pages[1].shows("one2")
        for page in pages:
            await page.leave()

    run(scene)

"""Others at a terminal: watching, taking part, locking, ending, saying something; and that the owner is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.models import AuditEntry
from cmdb.models import HostGroup
from tasks.models import TerminalGuest
from tasks.terminal import control, keeper, orders
from tests.factories import grant, make_user
from tests.tasks.terminal.things import begin, come, in_thread, row_becomes, row_of, run

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]


@pytest.fixture
def watcher(group: HostGroup) -> User:
    """May watch, and nothing else."""
    made = make_user("watcher")
    grant(made, ["tasks.watch_terminalsession"], [group])
    return made


@pytest.fixture
def chief(group: HostGroup) -> User:
    """May lock and end terminals in the group."""
    made = make_user("chief")
    grant(made, ["tasks.control_terminalsession"], [group])
    return made


def verbs() -> list[str]:
    """Give what the trail tells of terminals, in order, without how they were opened and ended."""
    told = AuditEntry.objects.filter(verb__startswith="terminal.").order_by("pk")
    plain = ("terminal.open", "terminal.end")
    return list(told.exclude(verb__in=plain).values_list("verb", flat=True))


def test_a_watcher_sees_all_and_types_nothing_and_the_owner_is_told(
    opened: Opened, worker: User, watcher: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await page.type("echo before$((1+1))\n")
        await page.shows("before2")
        other = await come(session, watcher)
        ready = await other.hears("ready")
        assert (ready["may_write"], ready["role"]) == (False, "watcher")
        assert (ready["columns"], ready["rows"]) == (100, 30)
        assert (await page.hears("watchers"))["names"] == ["watcher"]
        await other.shows("before2")
        await other.type("echo intruder\n")
        await other.say("resize", columns=20, rows=5)
        await page.type("stty size; echo after$((1+1))\n")
        assert b"intruder" not in (seen := await other.shows("after2"))
        assert b"30 100" in seen
        await other.say("bye")
        await other.closes()
        await other.leave()
        assert (await page.hears("watchers"))["names"] == []
        assert (await row_of(session)).state == "live"
        await page.leave()

    run(scene)
    guest = TerminalGuest.objects.get()
    assert (guest.username, guest.invited_by) == ("watcher", "")
    assert guest.left_at is not None
    assert verbs() == ["terminal.watch"]


def test_a_guest_who_may_open_terminals_there_types_when_invited_to(
    opened: Opened, worker: User
) -> None:
    session, hello = opened()
    guest = make_user("guest")
    with pytest.raises(DomainError, match="may only look on"):
        control.invite(actor=worker, session=session, user=guest, may_write=True)
    grant(guest, ["cmdb.terminal_host", "cmdb.use_credential"])

    async def scene() -> None:
        page = await begin(session, worker, hello)
        row = await in_thread(
            control.invite, actor=worker, session=session, user=guest, may_write=True
        )
        other = await come(session, guest)
        ready = await other.hears("ready")
        assert (ready["may_write"], ready["role"]) == (True, "guest")
        await other.type("echo from-guest$((1+1))\n")
        await page.shows("from-guest2")
        await in_thread(control.send_away, actor=worker, guest=row)
        assert await other.closes() == 4403
        await other.leave()
        assert (await row_of(session)).state == "live"
        await page.leave()

    run(scene)
    assert verbs() == ["terminal.invite", "terminal.join", "terminal.uninvite"]


def test_a_locked_terminal_takes_nothing_from_anybody(
    opened: Opened, worker: User, chief: User, admin: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await in_thread(control.lock, actor=chief, session=session)
        assert (await page.hears("locked"))["by"] == "chief"
        await page.type("echo while-locked\n")
        # Answered once what was typed before it is taken in.
        await page.say("resize", columns=90, rows=20)
        await page.hears("size")
        with pytest.raises(Forbidden):
            await in_thread(control.unlock, actor=worker, session=session)
        await in_thread(control.unlock, actor=chief, session=session)
        assert (await page.hears("locked"))["by"] == ""
        await page.type("echo unlocked$((1+1))\n")
        assert b"while-locked" not in await page.shows("unlocked2")
        await page.leave()

    run(scene)
    assert verbs() == ["terminal.lock", "terminal.unlock"]


def test_a_word_to_all_is_shown_to_all(
    opened: Opened, worker: User, chief: User
) -> None:
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        words = "Stop\nplease."
        await in_thread(control.say, actor=chief, session=session, words=words)
        assert (await page.hears("say"))["words"] == "chief: Stop please."
        await page.leave()

    run(scene)


def test_without_redis_it_ends_with_the_next_look_at_its_row(
    opened: Opened, worker: User, chief: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orders.redis_door, "publish", lambda *_: None)
    monkeypatch.setattr(keeper, "RENEW_SECONDS", 0.5)
    session, hello = opened()

    async def scene() -> None:
        page = await begin(session, worker, hello)
        await in_thread(control.lock, actor=chief, session=session)
        assert (await page.hears("locked"))["by"] == "chief"
        began = time.monotonic()
        await in_thread(control.kill, actor=chief, session=session)
        assert (await page.hears("end"))["words"] == "Ended by chief."
        assert time.monotonic() - began < 10
        await row_becomes(session, "ended")
        await page.leave()

    run(scene)
    assert verbs() == ["terminal.lock", "terminal.kill"]


def test_who_may_not_control_it_changes_nothing(
    opened: Opened, worker: User, watcher: User
) -> None:
    session, _hello = opened()
    with pytest.raises(Forbidden):
        control.kill(actor=watcher, session=session)
    with pytest.raises(Forbidden):
        control.lock(actor=watcher, session=session)
    with pytest.raises(Forbidden):
        control.invite(actor=watcher, session=session, user=watcher)
    with pytest.raises(Forbidden):
        control.say(actor=watcher, session=session, words="Hello")
    session.refresh_from_db()
    assert (session.state, session.end_reason, session.locked_by) == ("opening", "", "")
    assert verbs() == []


def test_the_owner_ends_what_nobody_has_come_for_and_only_once(
    opened: Opened, worker: User
) -> None:
    session, _hello = opened()
    assert control.kill(actor=worker, session=session).state == "ended"
    with pytest.raises(Conflict):
        control.kill(actor=worker, session=session)
    with pytest.raises(Conflict):
        control.invite(actor=worker, session=session, user=make_user("late"))
    assert verbs() == ["terminal.kill"]


def test_the_owner_is_no_guest_and_neither_is_who_cannot_sign_in(
    opened: Opened, worker: User
) -> None:
    session, _hello = opened()
    gone = make_user("gone", is_active=False)
    for user in (worker, gone):
        with pytest.raises(DomainError, match="cannot be invited"):
            control.invite(actor=worker, session=session, user=user)
    assert not TerminalGuest.objects.exists()

"""After which lines of the trail it is asked anew who may go on: those about who and what is here, at once; crowds apart."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.models import Model
from django.utils import timezone

from accounts.models import User
from adminset import audit
from cmdb.models import Host, HostGroup
from tasks.models import TerminalSession
from tasks.terminal import recheck
from tasks.terminal.keeper import Keeper
from tasks.terminal.viewers import Audience, Viewer
from tests.factories import make_group, make_host, make_user
from tests.tasks.recording.recordings import new_session

pytestmark = pytest.mark.django_db(transaction=True)
Asked = Callable[[], bool]


@pytest.fixture
def host() -> Host:
    return make_host("db1")


@pytest.fixture
def session(admin: User, host: Host) -> TerminalSession:
    return new_session(admin, host)


@pytest.fixture
def guest(db: None) -> User:
    return make_user("guest")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """The time that the trail knows: it is looked at whenever one asks."""
    clock = SimpleNamespace(now=1000.0)

    def monotonic() -> float:
        clock.now += recheck.LOOK_SECONDS
        return float(clock.now)

    monkeypatch.setattr(recheck, "time", SimpleNamespace(monotonic=monotonic))
    return clock


@pytest.fixture
def changed(session: TerminalSession, guest: User, clock: Any) -> Asked:
    """Say whether rights changed that matter to a terminal with its owner and a guest."""
    audience = Audience()
    audience.enter(Viewer(guest, "guest", True, None, lambda: None))
    here: Any = [SimpleNamespace(session=session, audience=audience)]
    trail = recheck.Trail()
    trail.changed(here)
    return lambda: trail.changed(here)


def test_changes_of_hosts_that_are_not_open_are_nobodys_matter(
    admin: User, host: Host, changed: Asked
) -> None:
    audit.record(admin, "host.update", make_host("db2"))
    assert not changed()
    audit.record(admin, "host.update", host)
    assert changed()
    assert not changed()


def test_changes_of_people_who_are_not_here_are_nobodys_matter(
    admin: User, guest: User, changed: Asked
) -> None:
    other = make_user("other")
    for verb in ("user.update", "session.end", "session.end_all"):
        audit.record(admin, verb, other)
    assert not changed()
    for verb in ("user.update", "session.end"):
        for person in (admin, guest):
            audit.record(other, verb, person)
            assert changed()
    audit.record(admin, "user.update", User)
    assert changed()


def test_invitations_elsewhere_are_nobodys_matter(
    admin: User, host: Host, session: TerminalSession, changed: Asked
) -> None:
    audit.record(admin, "terminal.invite", new_session(admin, host))
    assert not changed()
    audit.record(admin, "terminal.uninvite", session)
    assert changed()


def test_grants_and_roles_are_everybodys_matter(
    admin: User, host: Host, changed: Asked
) -> None:
    for verb in ("grant.revoke", "role.update"):
        audit.record(admin, verb, host)
        assert changed()


@pytest.mark.parametrize(
    ("verb", "many"), [("hostgroup.update", False), ("host.update", True)]
)
def test_changes_in_crowds_are_answered_by_a_look_each_five_seconds(
    admin: User, changed: Asked, clock: Any, verb: str, many: bool
) -> None:
    target: Any = Host if many else make_group("some")
    assert isinstance(target, HostGroup) != many
    seen = []
    for _second in range(10):
        audit.record(admin, verb, target)
        seen.append(changed())
    assert seen.count(True) == 2
    # The last of them is answered too.
    assert any(changed() for _second in range(5))
    assert not any(changed() for _second in range(10))


def test_a_line_that_is_there_later_than_a_newer_one_is_seen(
    admin: User, host: Host, clock: Any
) -> None:
    trail = recheck.Trail()
    for pk in (10**6, 10**6 - 1):
        line = audit.line(admin, "grant.revoke", host, changes=())
        line.pk, line.at = pk, timezone.now() - timedelta(seconds=2)
        Model.save(line, force_insert=True)
        assert trail.changed(())


def test_after_a_change_it_is_looked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[Any] = []
    monkeypatch.setattr(recheck, "look", lambda terminal, *_: looks.append(terminal))
    monkeypatch.setattr(recheck, "is_due", lambda _looked: False)
    answers = iter([True, False, False, False])
    keeper = Keeper(list, lambda: True)
    keeper._trail = SimpleNamespace(changed=lambda _: next(answers))  # type: ignore[assignment]
    terminal: Any = SimpleNamespace(looked_at=True, session=SimpleNamespace(key="k"))
    counts = []
    for _second in range(4):
        keeper._look_at_rights([terminal], 0.0)
        counts.append(len(looks))
    assert counts == [1, 2, 2, 2]

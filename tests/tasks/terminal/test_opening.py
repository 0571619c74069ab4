"""Asking for a terminal: who gets a session and a ticket, who a sentence; and what is written down of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisAway

from accounts.models import User
from adminset import redis_door
from adminset.errors import Conflict, DomainError, Forbidden, NotFound, Unavailable
from adminset.models import AuditEntry
from cmdb.models import Credential, Host, HostGroup
from tasks.models import Site, TerminalSession
from tasks.ssh.shell import Size
from tasks.terminal.opening import new_key, target_of, ticket_for
from tests.factories import grant, make_host, make_idc, make_user
from tests.tasks.terminal.things import ADDRESS

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]


def nothing_was_written() -> bool:
    """Say whether no session and no line of the trail came of it."""
    told = AuditEntry.objects.filter(verb__startswith="terminal.")
    return not (TerminalSession.objects.exists() or told.exists())


def test_a_session_says_who_where_with_what_and_why(
    opened: Opened, worker: User, host: Host
) -> None:
    session, _hello = opened(reason="  the disk \n is full ", size=Size(5000, 0))
    session.refresh_from_db()
    assert (session.user, session.host, session.state) == (worker, host, "opening")
    assert (session.username, session.host_name) == ("operator", host.hostname)
    assert (session.credential, session.credential_name) == (host.credential, "farm")
    assert (session.login, session.become) == (host.credential.username, False)
    assert (session.client_address, session.reason) == (ADDRESS, "the disk is full")
    assert (session.columns, session.rows) == (1000, 1)
    line = AuditEntry.objects.get(verb="terminal.open")
    assert (line.actor, line.reason, line.address) == (
        worker,
        "the disk is full",
        ADDRESS,
    )
    told = {change["field"]: change["new"] for change in line.changes}
    assert told["host_name"] == host.hostname
    assert told["credential_name"] == "farm"


def test_without_the_permission_on_the_host_there_is_none(
    opened: Opened, other_group: HostGroup, host: Host
) -> None:
    for user in (make_user("nobody"), make_user("elsewhere")):
        if user.username == "elsewhere":
            grant(user, ["cmdb.terminal_host"], [other_group])
            grant(user, ["cmdb.use_credential"])
        with pytest.raises(Forbidden, match="may not open a terminal"):
            opened(actor=user)
    assert nothing_was_written()


def test_without_the_right_to_its_credential_there_is_none(
    opened: Opened, group: HostGroup, admin: User, host: Host
) -> None:
    user = make_user("half")
    grant(user, ["cmdb.terminal_host"], [group])
    with pytest.raises(Forbidden, match="credential"):
        opened(actor=user)
    other = Credential.objects.create(name="other", username="app", password="secret")
    grant(user, ["cmdb.use_credential"], [group])
    with pytest.raises(Forbidden, match="credential"):
        opened(actor=user, credential=other)
    assert nothing_was_written()
    session, _hello = opened(actor=admin, credential=other)
    assert (session.login, session.credential) == ("app", other)
    target = target_of(TerminalSession.objects.get(pk=session.pk))
    assert (target.login.user, target.login.password) == ("app", "secret")
    host.refresh_from_db()
    assert host.credential != other


def test_a_critical_host_wants_a_reason(
    opened: Opened, host: Host, settings: Any
) -> None:
    settings.RUN_CRITICAL_FIELDS = ["level=high"]
    Host.objects.filter(pk=host.pk).update(custom={"level": "high"})
    host.refresh_from_db()
    with pytest.raises(DomainError, match=r"is critical \(level: high\)") as refused:
        opened(reason=" \n ")
    assert "reason" in refused.value.fields
    assert nothing_was_written()
    session, _hello = opened(reason="Ticket 12")
    assert session.reason == "Ticket 12"


def test_one_user_has_so_many_and_those_nobody_came_for_do_not_count_for_long(
    opened: Opened, settings: Any
) -> None:
    settings.TERMINAL_USER_MOST = 2
    opened()
    opened()
    with pytest.raises(Conflict, match="2 terminals open"):
        opened()
    long_ago = timezone.now() - timedelta(minutes=5)
    TerminalSession.objects.update(opened_at=long_ago)
    opened()
    TerminalSession.objects.update(state="live")
    with pytest.raises(Conflict):
        opened()


def test_root_is_for_credentials_that_lead_there(opened: Opened, host: Host) -> None:
    with pytest.raises(DomainError, match="no way to become root"):
        opened(become=True)
    Credential.objects.update(become_method="sudo")
    host.refresh_from_db()
    session, _hello = opened(become=True)
    assert session.become


def test_several_at_once_are_for_those_who_may(
    opened: Opened, worker: User, group: HostGroup
) -> None:
    key = new_key()
    with pytest.raises(Forbidden, match="several hosts at once"):
        opened(together=key)
    grant(worker, ["tasks.together_terminalsession"], [group])
    again = User.objects.get(pk=worker.pk)
    session, _hello = opened(actor=again, together=key)
    assert session.together == key


def test_a_host_that_only_workers_of_its_site_reach_is_refused_where_none_answers(
    opened: Opened, host: Host
) -> None:
    idc = make_idc("Far away")
    Host.objects.filter(pk=host.pk).update(idc=idc)
    host.refresh_from_db()
    site = Site.objects.create(idc=idc, how=Site.How.WORKERS)
    with pytest.raises(Unavailable, match="none answers") as refused:
        opened()
    assert "make worker QUEUES=" in refused.value.hint
    assert nothing_was_written()
    site.delete()
    opened(on=Host.objects.get(pk=host.pk))


def test_a_host_without_address_or_credential_is_refused(
    opened: Opened, admin: User
) -> None:
    bare = make_host("bare", credential=None)
    with pytest.raises(DomainError, match="has no credential"):
        opened(actor=admin, on=bare)
    credential = Credential.objects.create(name="any", username="any")
    lost = make_host("lost", address=None, credential=credential)
    with pytest.raises(DomainError, match="no management address"):
        opened(actor=admin, on=lost)
    assert nothing_was_written()


def test_without_redis_nothing_is_opened_and_nothing_written(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise RedisAway

    monkeypatch.setattr(redis_door, "put_ticket", away)
    with pytest.raises(Unavailable, match="Redis is away"):
        opened()
    assert nothing_was_written()


def test_a_ticket_to_come_back_is_for_those_who_have_business_there(
    opened: Opened, worker: User, stranger: User, admin: User
) -> None:
    session, _hello = opened()
    assert ticket_for(actor=worker, session=session)
    assert ticket_for(actor=admin, session=session)
    with pytest.raises(NotFound):
        ticket_for(actor=stranger, session=session)
    TerminalSession.objects.update(state="ended", end_reason="Ended by chief.")
    with pytest.raises(NotFound, match=r"Ended by chief\."):
        ticket_for(actor=worker, session=session)
    with pytest.raises(NotFound, match="not open any more"):
        ticket_for(actor=stranger, session=session)

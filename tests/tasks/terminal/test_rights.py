"""Who is sent away from a terminal that is open: a grant is gone, a session, a user, a host; at once or with the next look."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import Grant, PortalSession, User
from accounts.services.sessions import end_session
from adminset import audit
from adminset.models import AuditEntry
from cmdb.models import Host, HostGroup
from tests.tasks.terminal.things import Page, in_thread, row_becomes, run

pytestmark = pytest.mark.django_db(transaction=True)
Opened = Callable[..., Any]


def live(opened: Opened, worker: User, key: str, change: Callable[[], Any]) -> int:
    """Open a terminal, change something, and give the code with which its page is sent away."""
    session, hello = opened()
    codes: list[int] = []

    async def scene() -> None:
        page = Page(session.key, worker, session_key=key)
        await page.open(hello)
        await page.hears("ready")
        await in_thread(change)
        codes.append(await page.closes())
        row = await row_becomes(session, "ended")
        assert row.end_reason
        await page.leave()

    run(scene)
    return codes[0]


def test_a_revoked_grant_closes_the_shell_at_once(
    opened: Opened, worker: User, admin: User, client_of: Any
) -> None:
    key = client_of(worker).cookies["sessionid"].value

    def revoke() -> None:
        found = Grant.objects.filter(
            user=worker, role__permissions__codename="terminal_host"
        )
        for one in found:
            audit.record(admin, "grant.revoke", one)
        found.delete()

    assert live(opened, worker, key, revoke) == 4403


def test_a_session_that_is_ended_closes_the_shell_at_once(
    opened: Opened, worker: User, admin: User, client_of: Any
) -> None:
    key = client_of(worker).cookies["sessionid"].value

    def end() -> None:
        for one in PortalSession.objects.filter(user=worker):
            end_session(actor=admin, instance=one)

    assert live(opened, worker, key, end) == 4401


def test_a_user_who_is_stopped_loses_the_shell_at_once(
    opened: Opened, worker: User, admin: User, client_of: Any, settings: Any
) -> None:
    assert settings.TERMINAL_RECHECK_SECONDS == 60
    key = client_of(worker).cookies["sessionid"].value
    client, page = client_of(admin), reverse("accounts:user_edit", args=[worker.pk])

    def stop() -> None:
        answer = client.post(page, {"username": worker.username})
        assert answer.status_code == 302
        assert not User.objects.get(pk=worker.pk).is_active

    began = time.monotonic()
    assert live(opened, worker, key, stop) == 4401
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("how", ["stopped", "moved away"])
def test_what_no_line_of_the_trail_tells_closes_it_with_the_next_look(
    opened: Opened,
    worker: User,
    group: HostGroup,
    client_of: Any,
    settings: Any,
    how: str,
) -> None:
    settings.TERMINAL_RECHECK_SECONDS = 1
    key = client_of(worker).cookies["sessionid"].value
    changes: dict[str, Callable[[], Any]] = {
        "stopped": lambda: User.objects.filter(pk=worker.pk).update(is_active=False),
        "moved away": lambda: group.hosts.clear(),
    }
    code = live(opened, worker, key, changes[how])
    assert code == (4401 if how == "stopped" else 4403)


def test_it_closes_while_the_page_is_away_too(
    opened: Opened, worker: User, settings: Any
) -> None:
    settings.TERMINAL_RECHECK_SECONDS = 1
    session, hello = opened()

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        await page.hears("ready")
        await page.leave()
        await in_thread(Grant.objects.filter(user=worker).delete)
        row = await row_becomes(session, "ended")
        assert "may not open a terminal" in row.end_reason

    run(scene)


def test_a_changed_host_key_is_refused_with_a_sentence(
    opened: Opened, worker: User, hosts: list[Host]
) -> None:
    first, second, _third = hosts
    Host.objects.filter(pk=first.pk).update(host_key=second.host_key)
    session, hello = opened()

    async def scene() -> None:
        page = Page(session.key, worker)
        await page.open(hello)
        assert "changed: pinned" in (await page.hears("end"))["words"]
        await page.leave()
        row = await row_becomes(session, "refused")
        assert "changed: pinned" in row.end_reason
        line = await in_thread(AuditEntry.objects.get, verb="terminal.refuse")
        assert line.actor_id == worker.pk

    run(scene)

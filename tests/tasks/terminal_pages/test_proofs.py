"""Terminals and step-up: an old sign-in, or a cookie that was stolen, opens no shell and takes none over that is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.http import PROVED_AT
from adminset.models import AuditEntry
from cmdb.models import Credential, Host
from tasks.models import TerminalSession
from tasks.terminal import tickets
from tests.factories import grant, make_host, make_user
from tests.tasks.terminal_pages.session_things import invite

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("issued")]
JSON = {"accept": "application/json"}
Signed = Callable[[User], Client]


@pytest.fixture
def host(group: Any) -> Host:
    """A host of the group, with a credential."""
    key = Credential.objects.create(name="ops key", username="ops", password="x")
    return make_host("web1", groups=[group], credential=key)


def age(browser: Client) -> Client:
    """Let the proof of who is there be too old."""
    session = browser.session
    session[PROVED_AT] = 0
    session.save()
    return browser


def opened(browser: Client, host: Host) -> Any:
    """Open a terminal."""
    address = reverse("tasks:terminal_open")
    answer = browser.post(address, {"host": host.pk}, headers=JSON)
    assert answer.status_code == 201, answer.content
    return answer.json()


def ticket(browser: Client, said: Any) -> tuple[int, str]:
    """Ask for a ticket to come back; give the status, and the code of a refusal."""
    answer = browser.post(said["ticket_url"], headers=JSON)
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def join(said: Any) -> str:
    """Give the address of the owner's way back."""
    return reverse("tasks:terminal_join", args=[said["session"]])


def test_opening_asks(browser: Client, host: Host) -> None:
    answer = age(browser).post(
        reverse("tasks:terminal_open"), {"host": host.pk}, headers=JSON
    )
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "proof_needed"
    assert not TerminalSession.objects.exists()
    assert not AuditEntry.objects.filter(verb="terminal.open").exists()


def test_the_sign_in_that_opened_it_comes_back_at_any_time(
    browser: Client, host: Host
) -> None:
    said = opened(browser, host)
    assert ticket(age(browser), said) == (200, "")
    assert browser.get(join(said)).status_code == 200


def test_another_sign_in_of_the_owner_takes_no_shell_over_without_a_proof(
    browser: Client, client_of: Signed, host: Host, issued: dict[str, str]
) -> None:
    said = opened(browser, host)
    other = age(client_of(User.objects.get(pk=browser.session["_auth_user_id"])))
    assert other.session.session_key != browser.session.session_key
    assert ticket(other, said) == (403, "proof_needed")
    answer = other.get(join(said))
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{reverse('accounts:confirm')}?next=")
    assert len(issued) == 1


def test_with_a_proof_it_does_and_from_then_on_it_is_the_one_that_comes_back(
    browser: Client, client_of: Signed, worker: User, host: Host
) -> None:
    said = opened(browser, host)
    other = client_of(worker)
    assert ticket(other, said) == (200, "")
    assert ticket(age(other), said) == (200, "")
    assert ticket(age(browser), said) == (403, "proof_needed")
    row = TerminalSession.objects.get()
    assert row.portal_session == tickets.mark_of(other.session.session_key)
    assert str(other.session.session_key) not in row.portal_session


def test_a_guest_who_may_type_proves_who_is_there_as_for_opening_one(
    browser: Client, client_of: Signed, host: Host, group: Any, settings: Any
) -> None:
    settings.STEP_UP_PERMISSIONS = frozenset({"cmdb.terminal_host"})
    session = TerminalSession.objects.get(pk=opened(browser, host)["session"])
    guest = make_user("guest", perms=["cmdb.terminal_host"], groups=[group])
    grant(guest, ["cmdb.use_credential"])
    invite(session, guest, may_write=True)
    said = {"ticket_url": reverse("tasks:terminal_ticket", args=[session.pk])}
    watch = reverse("tasks:terminalsession_watch", args=[session.pk])
    page = client_of(guest)
    assert ticket(page, said) == (200, "")
    assert page.get(watch).status_code == 200
    assert ticket(age(page), said) == (403, "proof_needed")
    assert page.get(watch).status_code == 302
    # Who looks on only is asked for as a watcher is: by the settings of this test not at all.
    session.guests.update(may_write=False)
    assert ticket(page, said) == (200, "")
    settings.STEP_UP_PERMISSIONS = frozenset({"tasks.watch_terminalsession"})
    assert ticket(page, said) == (403, "proof_needed")


def test_inviting_somebody_to_type_asks_as_opening_does(
    browser: Client, host: Host, group: Any, settings: Any
) -> None:
    settings.STEP_UP_PERMISSIONS = frozenset({"cmdb.terminal_host"})
    session = TerminalSession.objects.get(pk=opened(browser, host)["session"])
    guest = make_user("guest", perms=["cmdb.terminal_host"], groups=[group])
    grant(guest, ["cmdb.use_credential"])
    address = reverse("tasks:terminalsession_invite", args=[session.pk])
    answer = age(browser).post(address, {"user": "guest", "may_write": "on"})
    assert answer["Location"].startswith(reverse("accounts:confirm"))
    assert not session.guests.exists()
    assert browser.post(address, {"user": "guest"})["Location"] == address
    assert not session.guests.get().may_write


@pytest.mark.parametrize("act", ["kill", "lock", "unlock", "say", "invite"])
def test_whatever_is_done_to_terminals_asks(
    client_of: Signed, admin: User, browser: Client, host: Host, act: str
) -> None:
    pk = opened(browser, host)["session"]
    before = AuditEntry.objects.count()
    address = reverse(f"tasks:terminalsession_{act}", args=[pk])
    sent = {"words": "hello", "user": "worker"}
    answer = age(client_of(admin)).post(address, sent)
    assert answer["Location"].startswith(reverse("accounts:confirm"))
    row = TerminalSession.objects.get()
    assert (row.end_reason, row.locked_by) == ("", "")
    assert AuditEntry.objects.count() == before

"""Ending, locking, saying something: who may, what is written down, what is ordered of the process, and what must not happen."""

from __future__ import annotations

import pytest
from django.urls import reverse

from adminset.models import AuditEntry
from tasks.models import TerminalSession
from tests.factories import grant
from tests.tasks.terminal_pages.session_things import HOSTILE, make_ended

pytestmark = pytest.mark.django_db
ACTS = ("kill", "lock", "unlock", "say", "invite", "send_away")


def url(act: str, session: TerminalSession) -> str:
    return reverse(f"tasks:terminalsession_{act}", args=[session.pk])


def verbs() -> list[str]:
    lines = AuditEntry.objects.filter(verb__startswith="terminal.").order_by("pk")
    return [line.verb for line in lines]


def test_ending_asks_first(client_of, guard, session, orders) -> None:
    answer = client_of(guard).get(url("kill", session))
    assert answer.status_code == 200
    session.refresh_from_db()
    assert (session.state, session.end_reason, orders, verbs()) == ("live", "", [], [])


def test_a_guard_ends_a_session_with_a_reason_that_its_user_reads(
    client_of, guard, session, orders
) -> None:
    answer = client_of(guard).post(url("kill", session), {"reason": HOSTILE})
    assert answer.status_code == 302
    line = AuditEntry.objects.get(verb="terminal.kill")
    assert (line.actor, line.target_id) == (guard, str(session.pk))
    assert "<script>" in line.reason
    ((key, order),) = orders
    assert (key, order["do"], order["by"]) == (session.key, "kill", "guard")
    session.refresh_from_db()
    assert session.end_reason.startswith("Ended by guard.")
    text = client_of(guard).get(session.get_absolute_url()).content.decode()
    assert "<script>alert" not in text
    assert "\u202e" not in text


def test_the_owner_ends_the_own_session_without_any_permission(
    client_of, anna, session, orders
) -> None:
    assert client_of(anna).post(url("kill", session)).status_code == 302
    assert [order["do"] for _key, order in orders] == ["kill"]
    assert AuditEntry.objects.get(verb="terminal.kill").actor == anna


def test_what_is_over_is_not_ended_again(client_of, guard, anna, db1, orders) -> None:
    over = make_ended(anna, db1, end_reason="The shell ended with 0.")
    assert client_of(guard).post(url("kill", over)).status_code == 409
    over.refresh_from_db()
    assert over.end_reason == "The shell ended with 0."
    assert orders == []
    assert verbs() == []


@pytest.mark.parametrize("act", ACTS)
def test_who_only_sees_does_nothing(client_of, viewer, session, orders, act) -> None:
    sent = {"user": viewer.username, "words": "hello", "guest": "1"}
    assert client_of(viewer).post(url(act, session), sent).status_code == 403
    before = TerminalSession.objects.get(pk=session.pk)
    assert (before.locked_by, before.end_reason) == ("", "")
    assert orders == []
    assert verbs() == []


@pytest.mark.parametrize("act", ACTS)
def test_out_of_the_scope_there_is_no_session(
    client_of, guard, stranger, elsewhere, orders, act
) -> None:
    assert client_of(guard).post(url(act, elsewhere)).status_code == 404
    # Who controls none at all does not learn whether there is one.
    assert client_of(stranger).post(url(act, elsewhere)).status_code == 403
    assert orders == []
    assert verbs() == []


@pytest.mark.parametrize("act", ["lock", "unlock", "say", "send_away"])
def test_nothing_is_done_by_a_link(client_of, guard, session, orders, act) -> None:
    assert client_of(guard).get(url(act, session)).status_code == 405
    assert orders == []


def test_a_guard_locks_and_unlocks(client_of, guard, session, orders) -> None:
    client = client_of(guard)
    client.post(url("lock", session))
    session.refresh_from_db()
    assert session.locked_by == "guard"
    page = client.get(session.get_absolute_url()).content.decode()
    assert "Locked by guard" in page
    assert url("unlock", session) in page
    client.post(url("unlock", session))
    session.refresh_from_db()
    assert session.locked_by == ""
    assert [order["do"] for _key, order in orders] == ["lock", "unlock"]
    assert verbs() == ["terminal.lock", "terminal.unlock"]


def test_who_is_locked_out_cannot_unlock(
    client_of, anna, group, session, orders
) -> None:
    TerminalSession.objects.update(locked_by="guard")
    assert client_of(anna).post(url("unlock", session)).status_code == 403
    # Not even with the permission over the hosts of the group: only over all.
    grant(anna, ["tasks.control_terminalsession"], [group])
    assert client_of(anna).post(url("unlock", session)).status_code == 403
    assert TerminalSession.objects.get().locked_by == "guard"
    assert orders == []


def test_a_sentence_goes_to_all_who_are_there(
    client_of, guard, session, orders
) -> None:
    client = client_of(guard)
    assert (
        client.post(url("say", session), {"words": "Lunch!\n\x1b[2J"}).status_code
        == 302
    )
    ((_key, order),) = orders
    assert (order["do"], order["by"]) == ("say", "guard")
    assert "Lunch!" in order["words"]
    assert AuditEntry.objects.get(verb="terminal.say").reason.startswith("Lunch!")
    assert client.post(url("say", session), {"words": "  "}).status_code == 422
    assert len(orders) == 1

"""Terminal sessions for programs: end, lock, unlock, within the rights of user and token."""

from __future__ import annotations

import pytest

from adminset.models import AuditEntry
from tasks.models import TerminalSession
from tests.tasks.terminal_pages.session_things import make_ended

pytestmark = pytest.mark.django_db


def api(session: TerminalSession, act: str) -> str:
    return f"/api/v1/terminal-sessions/{session.pk}/{act}/"


def test_a_program_ends_a_session(client_of, guard, session, orders) -> None:
    answer = client_of(guard).post(
        api(session, "kill"),
        {"reason": "  too\nlong "},
        content_type="application/json",
    )
    assert answer.status_code == 200
    assert answer.json() == {
        "id": session.pk,
        "state": "live",
        "locked_by": "",
        "end_reason": "Ended by guard. too long",
    }
    assert [order["do"] for _key, order in orders] == ["kill"]
    assert AuditEntry.objects.get(verb="terminal.kill").reason == "too long"


def test_a_program_locks_and_unlocks(client_of, guard, session, orders) -> None:
    client = client_of(guard)
    assert client.post(api(session, "lock")).json()["locked_by"] == "guard"
    assert client.post(api(session, "unlock")).json()["locked_by"] == ""
    assert [order["do"] for _key, order in orders] == ["lock", "unlock"]


@pytest.mark.parametrize("act", ["kill", "lock", "unlock"])
def test_without_the_permission_nothing_happens(
    client_of, client, viewer, anna, session, elsewhere, guard, orders, act
) -> None:
    assert client.post(api(session, act)).status_code == 401
    assert client_of(viewer).post(api(session, act)).status_code == 403
    # The page lets the owner end it; a program needs the permission.
    assert client_of(anna).post(api(session, act)).status_code == 403
    assert client_of(guard).post(api(elsewhere, act)).status_code == 404
    assert client_of(guard).get(api(session, act)).status_code == 405
    assert orders == []
    assert not AuditEntry.objects.filter(verb__startswith="terminal.").exists()


def test_what_is_over_says_so(client_of, guard, anna, db1, orders) -> None:
    answer = client_of(guard).post(api(make_ended(anna, db1), "lock"))
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "terminal_over"


@pytest.mark.parametrize("body", ["[]", '"x"', '{"reason": null}', '{"reason": [1]}'])
def test_a_strange_body_ends_it_all_the_same_or_is_refused_in_words(
    client_of, guard, session, orders, body
) -> None:
    answer = client_of(guard).post(
        api(session, "kill"), body, content_type="application/json"
    )
    assert answer.status_code == 200
    assert len(orders) == 1

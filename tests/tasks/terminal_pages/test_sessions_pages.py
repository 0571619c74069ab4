"""Looking at terminal sessions: one's own always, others' by permission and scope; hostile texts do nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from cmdb.models import HostGroup
from tasks.models import TerminalSession
from tests.crud import ResourceTests
from tests.factories import grant, make_host, make_user
from tests.tasks.terminal_pages.session_things import (
    HOSTILE,
    make_command,
    make_ended,
    make_session,
    page,
)

pytestmark = pytest.mark.django_db
LIST = "/tasks/terminal-sessions/"


class TestTerminalSessions(ResourceTests):
    model = TerminalSession
    scoped = True

    @pytest.fixture(autouse=True)
    def _groups(self, group: HostGroup, other_group: HostGroup, operator: User) -> None:
        self.inside, self.outside = group, other_group
        grant(operator, ["tasks.view_terminalsession"], [group])
        self.owner = make_user("somebody")

    def make(self, number: int = 0, *, outside: bool = False) -> TerminalSession:
        host = make_host(groups=[self.outside if outside else self.inside])
        session = make_session(self.owner, host, login=f"login{number}")
        make_command(session, risk=2)
        return session

    def valid(self) -> dict[str, Any]:
        return {"reason": "x"}


def test_what_one_did_oneself_one_sees_without_any_permission_and_nothing_else(
    client_of, stranger, db1, session, elsewhere
) -> None:
    mine = make_ended(stranger, db1)
    client = client_of(stranger)
    listed = page(client, LIST)
    assert mine.get_absolute_url() in listed
    assert session.get_absolute_url() not in listed
    for address in ("", "?tab=commands", "history/", "as-it-was/?on=2026-01-01"):
        url = mine.get_absolute_url() + address
        assert client.get(url).status_code == 200, address
        other = session.get_absolute_url() + address
        assert client.get(other).status_code == 404, address


def test_who_has_nothing_to_do_with_terminals_is_refused(
    client_of, stranger, session
) -> None:
    client = client_of(stranger)
    assert client.get(LIST).status_code == 403
    assert client.get(session.get_absolute_url()).status_code == 403
    assert client.get(reverse("tasks:terminalsession_live")).status_code == 403
    assert client.get(reverse("tasks:terminalsession_card")).status_code == 403


def test_others_sessions_are_seen_within_the_scope_only(
    client_of, viewer, session, elsewhere
) -> None:
    client = client_of(viewer)
    listed = page(client, LIST)
    assert session.get_absolute_url() in listed
    assert elsewhere.get_absolute_url() not in listed
    assert client.get(session.get_absolute_url()).status_code == 200
    assert client.get(elsewhere.get_absolute_url()).status_code == 404
    rest = client.get("/api/v1/terminal-sessions/").json()["results"]
    assert [row["id"] for row in rest] == [session.pk]


def test_a_token_that_may_not_look_at_sessions_sees_not_even_its_users_own(
    anna, session
) -> None:
    seen = TerminalSession.objects.visible_to
    assert list(seen(anna)) == [session]
    anna.token = object()
    anna.scope_of = lambda permission: False
    assert list(seen(anna)) == []


def test_the_list_is_narrowed_by_what_people_ask_for(
    client_of, admin, anna, db1, db2
) -> None:
    live = make_session(
        anna, db1, client_address="192.0.2.7", credential_name="root of db"
    )
    old = make_ended(
        admin, db2, opened_at=timezone.now() - timedelta(days=40), recording="failed"
    )
    make_command(live, "rm -rf /", risk=2)
    make_command(old, "chmod 777 x", risk=1)
    client = client_of(admin)

    def found(**query: str) -> set[int]:
        rows = client.get("/api/v1/terminal-sessions/", query).json()["results"]
        listed = page(client, LIST, **query)
        for session in (live, old):
            shown = session.get_absolute_url() in listed
            assert shown == (session.pk in {row["id"] for row in rows})
        return {row["id"] for row in rows}

    month = (timezone.now() - timedelta(days=30)).date().isoformat()
    assert found(open="live") == found(whose="others") == {live.pk}
    assert found(open="over") == found(whose="mine") == {old.pk}
    assert found(username="ann") == found(host_name="db1") == {live.pk}
    assert found(client_address="192.0.2") == {live.pk}
    assert found(credential_name="root of") == {live.pk}
    assert found(**{"f.opened_at.gt": month}) == {live.pk}
    assert old.get_absolute_url() not in page(client, LIST, opened_at_after=month)
    assert found(risk="2") == {live.pk}
    assert found(risk="1") == {live.pk, old.pk}
    assert found(recording="failed") == found(state="ended") == {old.pk}


def test_the_rest_gives_the_highest_risk_and_no_key(client_of, admin, session) -> None:
    make_command(session, "rm -rf /", risk=2)
    make_command(session, "ls")
    row = client_of(admin).get(f"/api/v1/terminal-sessions/{session.pk}/").json()
    assert row["highest_risk"] == 2
    assert not {"key", "recording_key", "together", "process"} & set(row)
    assert session.key not in str(row)


def test_no_page_about_a_session_holds_its_key(client_of, guard, session) -> None:
    client = client_of(guard)
    for address in (
        LIST,
        session.get_absolute_url(),
        f"{LIST}live/",
        f"{LIST}?export=csv",
    ):
        answer = client.get(address)
        assert session.key.encode() not in answer.getvalue()


def test_hostile_texts_are_shown_as_they_are_and_do_nothing(
    client_of, guard, anna, db1
) -> None:
    session = make_ended(
        anna,
        db1,
        reason=HOSTILE,
        end_reason=HOSTILE,
        recording="failed",
        recording_problem=HOSTILE,
        host_name="<img src=x>",
    )
    make_command(session, HOSTILE, rule_name="<b>rule</b>", typed_by="<i>x</i>")
    client = client_of(guard)
    url = session.get_absolute_url()
    for address in (url, f"{url}?tab=commands", LIST, f"{url}history/"):
        text = page(client, address)
        for harm in (
            "<script>alert",
            "<img src=x",
            "<b>rule",
            "<i>x",
            "\u202e",
            "\x1b",
        ):
            assert harm not in text, (address, harm)
    assert "&lt;script&gt;" in page(client, url)
    assert "[U+202E]" in page(client, url)
    assert "[U+202E]" in page(client, url, tab="commands")

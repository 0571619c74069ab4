"""Inviting to a terminal: who may be let in, who to type, what the inviter learns of others, and taking it back."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from adminset.models import AuditEntry
from cmdb.models import Credential
from tasks.models import TerminalSession
from tests.factories import grant, make_user
from tests.tasks.terminal_pages.session_things import HOSTILE, invite

pytestmark = pytest.mark.django_db


def url(act: str, session: TerminalSession) -> str:
    return reverse(f"tasks:terminalsession_{act}", args=[session.pk])


def verbs() -> list[str]:
    lines = AuditEntry.objects.filter(verb__startswith="terminal.").order_by("pk")
    return [line.verb for line in lines]


def test_the_owner_invites_somebody_to_look_on(
    client_of, anna, session, orders
) -> None:
    bert = make_user("bert")
    client = client_of(anna)
    answer = client.post(url("invite", session), {"user": "bert"}, follow=True)
    text = answer.content.decode()
    assert "bert is invited" in text
    watch = reverse("tasks:terminalsession_watch", args=[session.pk])
    assert f"http://testserver{watch}" in text
    guest = session.guests.get()
    assert (guest.user, guest.invited_by, guest.may_write) == (bert, "anna", False)
    assert verbs() == ["terminal.invite"]
    assert [order["do"] for _key, order in orders] == ["invite"]
    assert client_of(bert).get(watch).status_code == 200


def test_an_invitation_is_taken_back(client_of, anna, session, orders) -> None:
    bert = make_user("bert")
    guest = invite(session, bert, may_write=True)
    watch = reverse("tasks:terminalsession_watch", args=[session.pk])
    assert client_of(bert).get(watch).status_code == 200
    answer = client_of(anna).post(url("send_away", session), {"guest": guest.pk})
    assert answer.status_code == 302
    guest.refresh_from_db()
    assert (guest.invited_by, guest.may_write) == ("", False)
    assert verbs() == ["terminal.uninvite"]
    assert client_of(bert).get(watch).status_code == 403


@pytest.mark.parametrize("wanted", ["", "x", "0", "-1", "9" * 30, "999999"])
def test_a_guest_that_is_none_is_a_sentence(
    client_of, anna, session, orders, wanted
) -> None:
    answer = client_of(anna).post(url("send_away", session), {"guest": wanted})
    assert answer.status_code == 422
    assert orders == []


def test_a_guest_of_another_session_is_not_sent_away(
    client_of, anna, session, elsewhere, orders
) -> None:
    guest = invite(elsewhere, make_user("bert"))
    answer = client_of(anna).post(url("send_away", session), {"guest": guest.pk})
    assert answer.status_code == 422
    guest.refresh_from_db()
    assert guest.invited_by


def refused(client: Any, session: TerminalSession, **sent: Any) -> str:
    answer = client.post(url("invite", session), sent)
    assert answer.status_code == 422
    assert not session.guests.exists()
    assert verbs() == []
    return answer.content.decode()


def test_only_who_may_sign_in_is_invited(client_of, anna, session) -> None:
    client = client_of(anna)
    make_user("gone", is_active=False)
    assert "no user gone who may sign in" in refused(client, session, user="gone")
    text = refused(client, session, user=HOSTILE)
    assert "<script>alert" not in text
    refused(client, session, user="")
    refused(client, session, user="anna")


def test_only_who_could_open_the_terminal_may_type(
    client_of, anna, group, session, orders
) -> None:
    key = Credential.objects.create(name="root of db1", username="root")
    TerminalSession.objects.update(credential=key)
    bert = make_user("bert")
    client = client_of(anna)
    refused(client, session, user="bert", may_write="on")
    grant(bert, ["cmdb.view_host", "cmdb.terminal_host"], [group])
    # Who types has what the credential opens: the host alone is not enough.
    refused(client, session, user="bert", may_write="on")
    grant(bert, ["cmdb.use_credential"])
    sent = {"user": "bert", "may_write": "on"}
    assert client.post(url("invite", session), sent).status_code == 302
    assert session.guests.get().may_write


def test_a_refusal_tells_no_more_of_who_is_out_of_sight_than_of_nobody(
    client_of, anna, session
) -> None:
    make_user("bert")
    client = client_of(anna)

    def told(name: str) -> str:
        text = refused(client, session, user=name, may_write="on")
        assert f"no user {name} who may" in text
        return text.replace(name, "?")

    def plain(text: str) -> str:
        # Each page has a token of its own.
        return re.sub(r"[A-Za-z0-9]{64}", "", text)

    assert plain(told("bert")) == plain(told("knut"))
    # Who sees the users reads what is in the way.
    grant(anna, ["accounts.view_user"])
    text = refused(client_of(anna), session, user="bert", may_write="on")
    assert "bert could not open this terminal" in text


def test_names_are_offered_only_of_users_whom_the_inviter_may_see(
    client_of, admin, anna, session
) -> None:
    make_user("bert")
    make_user("robot", kind="service")
    text = client_of(anna).get(url("invite", session)).content.decode()
    assert '<option value="bert">' not in text
    text = client_of(admin).get(url("invite", session)).content.decode()
    assert '<option value="bert">' in text
    assert '<option value="robot">' not in text

"""The page of watchers and guests: who gets it, and what it tells of the session."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import make_user
from tests.tasks.terminal_pages.session_things import invite, make_ended

pytestmark = pytest.mark.django_db


def watch(session) -> str:
    return reverse("tasks:terminalsession_watch", args=[session.pk])


def test_who_may_watch_gets_the_page_and_the_buttons_of_a_guard(
    client_of, guard, session
) -> None:
    answer = client_of(guard).get(watch(session))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert f'data-socket="/ws/tasks/terminals/{session.key}/"' in text
    assert reverse("tasks:terminal_ticket", args=[session.pk]) in text
    assert reverse("tasks:terminalsession_lock", args=[session.pk]) in text
    assert "no-store" in answer["Cache-Control"]
    # Looking at the page alone opens nothing: the socket asks for a ticket, and then the owner is told.
    assert not session.guests.exists()


def test_seeing_a_session_is_not_watching_it(client_of, viewer, session) -> None:
    answer = client_of(viewer).get(watch(session))
    assert answer.status_code == 403
    assert session.key not in answer.content.decode()


def test_out_of_the_scope_there_is_nothing_to_watch(
    client_of, guard, stranger, elsewhere
) -> None:
    assert client_of(guard).get(watch(elsewhere)).status_code == 404
    assert client_of(stranger).get(watch(elsewhere)).status_code == 403


def test_the_owner_goes_to_the_terminal_itself(client_of, anna, session) -> None:
    answer = client_of(anna).get(watch(session))
    assert answer.status_code == 302
    assert answer["Location"] == reverse("tasks:terminal_join", args=[session.pk])


def test_a_guest_is_let_in_without_any_permission_and_sees_nothing_else(
    client_of, stranger, session
) -> None:
    invite(session, stranger)
    client = client_of(stranger)
    text = client.get(watch(session)).content.decode()
    assert "look on" in text
    assert session.get_absolute_url() + '"' not in text
    assert reverse("tasks:terminalsession_kill", args=[session.pk]) not in text
    assert client.get(session.get_absolute_url()).status_code == 404


def test_an_invitation_to_type_counts_only_with_the_right_to_a_terminal_there(
    client_of, stranger, guard, session
) -> None:
    invite(session, stranger, may_write=True)
    assert not client_of(stranger).get(watch(session)).context["may_type"]
    invite(session, guard)
    assert not client_of(guard).get(watch(session)).context["may_type"]


def test_what_is_over_is_not_watched(client_of, guard, stranger, anna, db1) -> None:
    over = make_ended(anna, db1)
    answer = client_of(guard).get(watch(over))
    assert answer.status_code == 302
    assert answer["Location"] == over.get_absolute_url()
    invite(over, stranger)
    assert client_of(stranger).get(watch(over))["Location"] == reverse("home")


def test_who_cannot_sign_in_any_more_is_no_guest(client_of, session) -> None:
    bert = make_user("bert")
    invite(session, bert)
    client = client_of(bert)
    bert.is_active = False
    bert.save()
    assert client.get(watch(session)).status_code == 302

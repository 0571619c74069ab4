"""What is open now: who has how many of how many, invitations, the card of the home page, the menu."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_user
from tests.tasks.terminal_pages.session_things import invite, make_ended, make_session

pytestmark = pytest.mark.django_db
LIVE = "/tasks/terminal-sessions/live/"
CARD = "/tasks/terminal-sessions/card/"


def held(answer: Any, name: str) -> dict[str, tuple[int, int]]:
    return {row.name: (row.count, row.most) for row in answer.context[name]}


def test_it_counts_by_user_and_by_process(
    client_of, admin, anna, db1, settings
) -> None:
    settings.TERMINAL_USER_MOST, settings.TERMINAL_PROCESS_MOST = 2, 50
    make_session(anna, db1, process="web1:10")
    make_session(anna, db1, process="web1:10", state="away")
    make_session(admin, db1, process="web2:11")
    make_ended(anna, db1, process="web1:10")
    answer = client_of(admin).get(LIVE)
    assert held(answer, "users") == {"anna": (2, 2), "admin": (1, 2)}
    assert held(answer, "processes") == {"web1:10": (2, 50), "web2:11": (1, 50)}
    assert answer.context["mine"] == 1
    full = {row.name for row in answer.context["users"] if row.is_full}
    assert full == {"anna"}


def test_one_for_which_no_page_came_counts_for_a_while_only(
    client_of, admin, anna, db1
) -> None:
    make_session(anna, db1, state="opening")
    old = timezone.now() - timedelta(minutes=5)
    make_session(anna, db1, state="opening", opened_at=old)
    assert held(client_of(admin).get(LIVE), "users")["anna"][0] == 1


def test_it_tells_how_long_nobody_has_typed(client_of, admin, anna, db1) -> None:
    now = timezone.now()
    opened = now - timedelta(hours=1)
    make_session(anna, db1, opened_at=opened, last_input_at=now)
    make_session(anna, db1, opened_at=opened)
    row = client_of(admin).get(LIVE).context["users"][0]
    assert timedelta(minutes=59) < row.idle < timedelta(minutes=61)


def test_numbers_count_only_what_the_reader_may_see(
    client_of, guard, session, elsewhere
) -> None:
    answer = client_of(guard).get(LIVE)
    assert held(answer, "users") == {"anna": (1, 20)}
    assert answer.context["processes"] == []
    assert elsewhere.host_name not in answer.content.decode()


def test_htmx_gets_the_part_that_changes(client_of, admin, session) -> None:
    part = client_of(admin).get(LIVE, headers={"HX-Request": "true"})
    assert b"<html" not in part.content
    assert session.get_absolute_url().encode() in part.content


def test_the_page_costs_as_much_for_twelve_as_for_two(
    client_of, admin, anna, db1
) -> None:
    client = client_of(admin)
    counts = []
    for number in (2, 10):
        for _one in range(number):
            make_session(anna, db1)
        client.get(LIVE)
        with CaptureQueriesContext(connection) as queries:
            client.get(LIVE)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_invitation_stands_first_on_the_card_and_leads_in(
    client_of, stranger, session
) -> None:
    guest = invite(session, stranger)
    watch = reverse("tasks:terminalsession_watch", args=[session.pk])
    client = client_of(stranger)
    for address in (CARD, LIVE):
        assert watch in client.get(address).content.decode()
    guest.delete()
    assert client.get(CARD).status_code == 403


def test_an_invitation_to_what_is_over_leads_nowhere(
    client_of, stranger, anna, db1
) -> None:
    invite(make_ended(anna, db1), stranger)
    assert client_of(stranger).get(CARD).status_code == 403


def test_the_card_shows_live_ones_only(client_of, guard, anna, db1, session) -> None:
    over = make_ended(anna, db1)
    text = client_of(guard).get(CARD).content.decode()
    assert session.get_absolute_url() in text
    assert over.get_absolute_url() not in text


def test_home_menu_and_tabs_lead_there_for_who_opens_terminals(
    client_of, anna, viewer
) -> None:
    for user in (anna, viewer):
        client = client_of(user)
        home = client.get("/").content.decode()
        assert CARD in home
        assert "/tasks/terminal-sessions/" in home
        tabs = client.get("/tasks/terminal-sessions/").context["tabs"]
        search = reverse("tasks:terminal_search")
        wanted = {"/tasks/terminal-sessions/", LIVE, search}
        assert wanted <= {tab["url"] for tab in tabs}
    nobody = client_of(make_user("nobody")).get("/").content.decode()
    assert CARD not in nobody
    assert "/tasks/terminal-sessions/" not in nobody

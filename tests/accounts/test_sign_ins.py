"""The sign-in log: who came in, who was refused, from where, with what."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from accounts.session_selectors import came_in_from, told
from adminset import audit
from adminset.models import AuditEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def sign_in(client: Client, username: str, password: str = PASSWORD) -> int:
    """Try the door."""
    data = {"username": username, "password": password}
    return client.post(reverse("accounts:sign_in"), data).status_code


@pytest.fixture
def history(db: None) -> User:
    """Ann came in from 10.0.0.1 and left; somebody guessed at her password from 10.9.9.9 until it was enough."""
    ann = make_user("ann")
    here = Client(REMOTE_ADDR="10.0.0.1", headers={"User-Agent": FIREFOX})
    sign_in(here, "ann")
    here.post(reverse("accounts:sign_out"))
    elsewhere = Client(REMOTE_ADDR="10.9.9.9", headers={"User-Agent": "<b>curl/8"})
    for _ in range(6):
        sign_in(elsewhere, "ann", "wrong")
    sign_in(elsewhere, "a password in the wrong box", "wrong")
    return ann


def rows(page: str) -> list[str]:
    """Give the rows of the list."""
    return page.split("<tbody")[1].split("<tr")[1:]


def test_every_try_is_there_with_address_browser_and_method(history: User) -> None:
    entries = list(AuditEntry.objects.order_by("id"))
    assert [entry.verb for entry in entries] == [
        "session.start",
        "session.end",
        *["session.refused"] * 5,
        "session.throttled",
        "session.refused",
    ]
    assert {entry.address for entry in entries[:2]} == {"10.0.0.1"}
    assert {entry.address for entry in entries[2:]} == {"10.9.9.9"}
    assert {told(entry, "browser") for entry in entries[:2]} == {FIREFOX}
    assert {told(entry, "method") for entry in entries} == {"password"}
    assert "wrong box" not in str(list(AuditEntry.objects.values()))


def test_the_page_says_it_in_words(client_of, auditor: User, history: User) -> None:
    page = client_of(auditor).get(reverse("accounts:sign_in_list")).content.decode()
    found = rows(page)
    assert len(found) == 9
    assert "unknown user" in found[0]
    assert "refused" in found[0]
    assert "too many attempts" in found[1]
    assert "curl" in found[1]
    assert "<b>curl" not in page
    assert "Firefox, Linux" in found[-1]
    assert "signed in" in found[-1]
    assert "10.0.0.1" in found[-1]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("verb=session.start", 1),
        ("verb=session.refused", 6),
        ("verb=session.throttled", 1),
        ("verb=session.end", 1),
        ("verb=session.end_", 0),
        ("address=10.9", 7),
        ("user=ann", 8),
        ("user=unknown", 1),
        ("user=ann&verb=session.refused&address=10.9.9.9", 5),
        ("q=10.0.0.1", 2),
    ],
)
def test_the_page_is_narrowed(
    client_of, auditor: User, history: User, query: str, count: int
) -> None:
    answer = client_of(auditor).get(f"{reverse('accounts:sign_in_list')}?{query}")
    assert answer.context["total"] == count


def test_htmx_gets_the_list_alone(client_of, auditor: User, history: User) -> None:
    answer = client_of(auditor).get(
        reverse("accounts:sign_in_list"), headers={"HX-Request": "true"}
    )
    assert b"<html" not in answer.content
    assert answer["Vary"].startswith("HX-Request")


def test_sessions_that_somebody_else_ended_say_who(
    client_of, admin: User, stranger: User
) -> None:
    client_of(stranger)
    client = client_of(admin)
    client.post(reverse("accounts:user_sessions_end", args=[stranger.pk]))
    row = rows(client.get(reverse("accounts:sign_in_list")).content.decode())[0]
    assert "stranger" in row
    assert "sessions ended" in row
    assert "by admin" in row


def test_everybody_sees_the_own_sign_ins_and_no_other(
    client_of, stranger: User, history: User
) -> None:
    audit.record(stranger, "session.start", stranger)
    page = client_of(history).get(reverse("accounts:my_sign_ins"))
    assert page.context["total"] == 8
    assert "10.9.9.9" in page.content.decode()
    assert "stranger" not in page.content.decode()
    theirs = client_of(stranger).get(reverse("accounts:my_sign_ins"))
    assert theirs.context["total"] == 1
    assert "ann" not in "".join(rows(theirs.content.decode()))
    assert client_of(stranger).get(reverse("accounts:sign_in_list")).status_code == 403


def test_a_name_that_becomes_an_others_shows_nothing_of_before(
    client_of, history: User
) -> None:
    history.delete()
    namesake = make_user("ann")
    page = client_of(namesake).get(reverse("accounts:my_sign_ins"))
    assert page.context["total"] == 0


def test_an_address_is_known_for_thirty_days(history: User) -> None:
    month_ago = timezone.now() - timedelta(days=30)
    assert came_in_from(history, "10.0.0.1", since=month_ago)
    assert not came_in_from(history, "10.9.9.9", since=month_ago)
    assert not came_in_from(history, "", since=month_ago)
    assert not came_in_from(make_user("bob"), "10.0.0.1", since=month_ago)
    assert not came_in_from(
        history, "10.0.0.1", since=timezone.now() + timedelta(days=1)
    )


def test_strangers_hold_up_new_addresses_only(history: User, settings) -> None:
    settings.SIGN_IN_ACCOUNT_ATTEMPTS = 7
    for number in range(6):
        sign_in(Client(REMOTE_ADDR=f"10.8.8.{number}"), "ann", "wrong")
    assert sign_in(Client(REMOTE_ADDR="10.7.7.7"), "ann") == 429
    assert sign_in(Client(REMOTE_ADDR="10.0.0.1"), "ann") == 302

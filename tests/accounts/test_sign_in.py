"""Signing in and out: who gets in, what is recorded, how guessing is slowed down."""

import logging

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from redis import ConnectionError as RedisAway

from accounts.models import PortalSession, User
from accounts.sessions import METHOD
from adminset.models import AuditEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
WRONG = "a wrong guess entirely"


def sign_in(client: Client, username: str, password: str, **more: str):
    """Send the sign-in form."""
    data = {"username": username, "password": password, **more}
    return client.post(reverse("accounts:sign_in"), data)


def verbs() -> list[str]:
    """List what the trail says, oldest first."""
    return list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))


def test_the_page_opens_for_everybody(client: Client) -> None:
    answer = client.get(reverse("accounts:sign_in"))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]


def test_the_right_password_opens_the_portal_with_a_new_session(client: Client) -> None:
    user = make_user("ann")
    client.get(reverse("accounts:sign_in"))
    session = client.session
    session["before"] = "1"
    session.save()
    answer = sign_in(client, "ann", PASSWORD)
    assert answer.status_code == 302
    assert answer["Location"] == "/"
    assert client.session.session_key != session.session_key
    entry = AuditEntry.objects.get(verb="session.start")
    assert entry.actor == user
    assert entry.address == "127.0.0.1"
    assert {c["field"]: c["new"] for c in entry.changes} == {
        "browser": "",
        "method": "password",
    }
    row = PortalSession.objects.get()
    assert (row.user, row.method, row.address) == (user, "password", "127.0.0.1")


def test_the_visitor_lands_where_he_wanted_to_go(client: Client) -> None:
    make_user("ann")
    answer = sign_in(client, "ann", PASSWORD, next="/accounts/me/")
    assert answer["Location"] == "/accounts/me/"


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_to_another_site(client: Client, elsewhere: str) -> None:
    make_user("ann")
    assert sign_in(client, "ann", PASSWORD, next=elsewhere)["Location"] == "/"


def test_one_who_is_signed_in_goes_on(client_of, stranger: User) -> None:
    answer = client_of(stranger).get(
        reverse("accounts:sign_in"), {"next": "/accounts/me/"}
    )
    assert answer["Location"] == "/accounts/me/"


@pytest.mark.parametrize("username", ["ann", "nobody", "gone"])
def test_a_wrong_password_an_unknown_and_a_stopped_user_read_the_same(
    client: Client, username: str
) -> None:
    make_user("ann")
    make_user("gone", is_active=False)
    answer = sign_in(client, username, WRONG if username == "ann" else PASSWORD)
    assert answer.status_code == 422
    assert "The user name or the password is not right." in answer.content.decode()
    assert "_auth_user_id" not in client.session
    assert verbs() == ["session.refused"]


def test_an_empty_form_says_what_is_missing_and_counts_nothing(client: Client) -> None:
    assert client.post(reverse("accounts:sign_in"), {}).status_code == 422
    assert verbs() == []


def test_what_was_typed_is_neither_recorded_nor_logged(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    make_user("ann")
    typed = "Secret-typed-by-mistake"
    sign_in(client, "ann", typed)
    sign_in(client, typed, "x")
    sign_in(client, "ann", PASSWORD)
    trail = [str(row) for row in AuditEntry.objects.values()]
    assert len(trail) == 3
    for secret in (typed, PASSWORD):
        assert secret not in caplog.text
        assert not any(secret in line for line in trail)


def test_the_sixth_guess_in_five_minutes_waits(client: Client) -> None:
    make_user("ann")
    for _number in range(5):
        assert sign_in(client, "ann", WRONG).status_code == 422
    for _number in range(2):
        answer = sign_in(client, "ann", PASSWORD)
        assert answer.status_code == 429
        assert 290 <= int(answer["Retry-After"]) <= 300
        assert "Wait 5 minutes" in answer.content.decode()
    assert verbs() == ["session.refused"] * 5 + ["session.throttled"]


def test_others_and_other_addresses_are_not_held_up(client: Client) -> None:
    make_user("ann")
    make_user("bob")
    for _number in range(7):
        sign_in(client, "ann", WRONG)
    assert sign_in(client, "bob", PASSWORD).status_code == 302
    data = {"username": "ann", "password": PASSWORD}
    elsewhere = Client(REMOTE_ADDR="10.9.9.9")
    assert elsewhere.post(reverse("accounts:sign_in"), data).status_code == 302


def test_a_success_starts_the_count_anew(client: Client) -> None:
    make_user("ann")
    for _round in range(2):
        for _number in range(4):
            sign_in(client, "ann", WRONG)
        assert sign_in(client, "ann", PASSWORD).status_code == 302
        client.post(reverse("accounts:sign_out"))


def test_nobody_is_locked_out_when_redis_is_away(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise RedisAway("refused")

    for name in ("add", "incr", "delete"):
        monkeypatch.setattr(
            type(cache._connections["default"]), name, away, raising=False
        )
    make_user("ann")
    for _number in range(6):
        assert sign_in(client, "ann", WRONG).status_code == 422
    assert sign_in(client, "ann", PASSWORD).status_code == 302
    assert "not throttled" in caplog.text


def test_a_service_account_cannot_sign_in_with_the_right_password(
    client: Client,
) -> None:
    make_user("robot", kind=User.Kind.SERVICE)
    answer = sign_in(client, "robot", PASSWORD)
    assert answer.status_code == 422
    assert "The user name or the password is not right." in answer.content.decode()
    assert "_auth_user_id" not in client.session
    assert verbs() == ["session.refused"]


def test_a_user_who_becomes_a_service_account_is_out(client_of, stranger: User) -> None:
    client = client_of(stranger)
    User.objects.filter(pk=stranger.pk).update(kind=User.Kind.SERVICE)
    assert client.get("/").status_code == 302


def test_signing_in_as_somebody_else_leaves_nothing_of_the_session_before(
    client: Client,
) -> None:
    make_user("ann")
    session = client.session
    session["left behind"] = "1"
    session.save()
    sign_in(client, "ann", PASSWORD)
    assert "left behind" not in client.session
    assert client.session[METHOD] == "password"
    assert PortalSession.objects.count() == 1


def test_signing_out_needs_a_post_and_is_recorded(client: Client) -> None:
    make_user("ann")
    sign_in(client, "ann", PASSWORD)
    assert client.get(reverse("accounts:sign_out")).status_code == 405
    answer = client.post(reverse("accounts:sign_out"))
    assert answer["Location"] == reverse("accounts:sign_in")
    assert verbs() == ["session.start", "session.end"]
    assert client.get("/").status_code == 302


def test_the_form_is_refused_without_its_csrf_token() -> None:
    make_user("ann")
    client = Client(enforce_csrf_checks=True)
    assert sign_in(client, "ann", PASSWORD).status_code == 403


def test_a_user_who_is_stopped_is_out_at_once(client_of, stranger: User) -> None:
    client = client_of(stranger)
    assert client.get("/").status_code == 200
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    assert client.get("/").status_code == 302

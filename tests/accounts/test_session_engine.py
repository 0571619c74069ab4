"""The session engine: keys kept as hashes, rows that begin once, time-outs, users who are out at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import door
from accounts.models import PortalSession, User
from accounts.sessions import SessionStore
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def browser() -> Client:
    """A browser in which ann signed in at the door."""
    make_user("ann")
    client = Client(headers={"User-Agent": FIREFOX})
    data = {"username": "ann", "password": PASSWORD}
    assert client.post(reverse("accounts:sign_in"), data).status_code == 302
    return client


def move(**back: Any) -> None:
    """Put the times of the one session back."""
    row = PortalSession.objects.get()
    values = {name: getattr(row, name) - span for name, span in back.items()}
    PortalSession.objects.update(**values)


def test_the_table_holds_no_key_that_opens_anything(browser: Client) -> None:
    key = browser.cookies["sessionid"].value
    row = PortalSession.objects.get()
    assert key not in str(list(PortalSession.objects.values()))
    thief = Client()
    thief.cookies["sessionid"] = row.session_key
    assert thief.get("/").status_code == 302
    assert str(row) == "ann 127.0.0.1"


def test_a_later_save_keeps_where_and_when_the_session_began(browser: Client) -> None:
    move(began_at=timedelta(hours=1), seen_at=timedelta(seconds=30))
    before = PortalSession.objects.values().get()
    session = browser.session
    session["more"] = "1"
    session.save()
    after = PortalSession.objects.values().get()
    assert after.pop("session_data") != before.pop("session_data")
    assert after == before
    assert (after["method"], after["browser"]) == ("password", FIREFOX)
    assert after["user_id"] == User.objects.get().pk


def test_a_new_key_does_not_make_the_session_younger(browser: Client) -> None:
    move(began_at=timedelta(hours=3))
    before = PortalSession.objects.values().get()
    session = browser.session
    session.cycle_key()
    session.save()
    after = PortalSession.objects.values().get()
    assert after.pop("session_key") != before.pop("session_key")
    for name in ("began_at", "seen_at", "expire_date", "address", "browser", "method"):
        assert after[name] == before[name]
    assert session.row.began_at == before["began_at"]


def test_a_session_that_was_ended_does_not_come_back_by_a_save(browser: Client) -> None:
    session = browser.session
    session["more"] = "1"
    PortalSession.objects.all().delete()
    with pytest.raises(UpdateError):
        session.save()
    assert not PortalSession.objects.exists()


def test_a_request_that_outlives_its_session_says_so(browser: Client) -> None:
    store = SessionStore(browser.cookies["sessionid"].value)
    assert store.row is not None
    store.flush()
    assert store.row is None
    assert browser.get("/").status_code == 302


def test_a_session_without_an_act_ends(browser: Client, settings: Any) -> None:
    move(seen_at=timedelta(seconds=settings.SESSION_IDLE_SECONDS - 5))
    assert browser.get("/").status_code == 200
    move(seen_at=timedelta(seconds=settings.SESSION_IDLE_SECONDS + 5))
    assert browser.get("/").status_code == 302


def test_a_session_ends_at_the_latest_whatever_is_done(
    browser: Client, settings: Any
) -> None:
    move(began_at=timedelta(seconds=settings.SESSION_COOKIE_AGE - 5))
    session = browser.session
    session["more"] = "1"
    session.save()
    assert browser.get("/").status_code == 200
    move(began_at=timedelta(seconds=10))
    assert browser.get("/").status_code == 302


def test_a_shorter_limit_holds_for_sessions_that_are_open(
    browser: Client, settings: Any
) -> None:
    move(began_at=timedelta(hours=1))
    settings.SESSION_COOKIE_AGE = 1800
    assert browser.get("/").status_code == 302


def test_an_act_is_noted_once_a_minute_with_one_update(browser: Client) -> None:
    move(seen_at=timedelta(minutes=5))
    with CaptureQueriesContext(connection) as queries:
        browser.get(reverse("accounts:profile"))
    writes = [q["sql"] for q in queries if "portalsession" in q["sql"]]
    assert [sql.split()[0] for sql in writes] == ["SELECT", "UPDATE"]
    seen = PortalSession.objects.get().seen_at
    assert timezone.now() - seen < timedelta(seconds=30)
    with CaptureQueriesContext(connection) as queries:
        browser.get(reverse("accounts:profile"))
    assert not [q for q in queries if q["sql"].startswith("UPDATE")]
    assert PortalSession.objects.get().seen_at == seen


def test_what_a_page_asks_by_itself_keeps_no_session_alive(browser: Client) -> None:
    move(seen_at=timedelta(minutes=5))
    seen = PortalSession.objects.get().seen_at
    browser.get("/", headers={"X-Automatic": "1", "HX-Request": "true"})
    assert PortalSession.objects.get().seen_at == seen
    browser.get("/", headers={"HX-Request": "true"})
    assert PortalSession.objects.get().seen_at > seen


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_who_may_no_longer_sign_in_is_out_for_good(
    browser: Client, change: dict[str, Any]
) -> None:
    User.objects.update(**change)
    assert browser.get("/").status_code == 302
    assert not PortalSession.objects.exists()
    User.objects.update(is_active=True, expires_at=None)
    assert browser.get("/").status_code == 302


def test_a_web_socket_asks_whose_the_session_is(browser: Client, settings: Any) -> None:
    key, ann = browser.cookies["sessionid"].value, User.objects.get()
    move(seen_at=timedelta(minutes=5))
    seen = PortalSession.objects.get().seen_at
    assert door.whose(key) == ann
    assert PortalSession.objects.get().seen_at == seen
    assert door.whose(None) is None
    assert door.whose("0" * 32) is None
    settings.SESSION_IDLE_SECONDS = 60
    assert door.whose(key) is None


@pytest.mark.parametrize("end", ["delete", "stop", "expire", "password", "age"])
def test_a_web_socket_of_a_session_that_ended_is_nobodys(
    browser: Client, end: str
) -> None:
    key, ann = browser.cookies["sessionid"].value, User.objects.get()
    if end == "delete":
        PortalSession.objects.all().delete()
    elif end == "stop":
        User.objects.update(is_active=False)
    elif end == "expire":
        User.objects.update(expires_at=timezone.now())
    elif end == "password":
        ann.set_password("another one entirely")
        ann.save()
    else:
        PortalSession.objects.update(expire_date=timezone.now())
    assert door.whose(key) is None


def test_rows_of_sessions_that_are_over_go_with_the_next_sign_in(
    browser: Client,
) -> None:
    PortalSession.objects.update(expire_date=timezone.now() - timedelta(days=1))
    data = {"username": "ann", "password": PASSWORD}
    Client().post(reverse("accounts:sign_in"), data)
    assert PortalSession.objects.count() == 1

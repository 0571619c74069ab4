"""ADMINSET_PASSWORD_SIGN_IN off: no name and password opens the door, but for break-glass while it is open."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.services.break_glass import BREAK_GLASS, break_glass
from adminset.audit import SystemActor
from adminset.models import AuditEntry
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
DOOR = "/accounts/sign-in/"


@pytest.fixture(autouse=True)
def _passwords_off(settings: Any) -> None:
    settings.PASSWORD_SIGN_IN = False


def _sign_in(username: str, password: str, address: str = DOOR) -> Any:
    return Client().post(address, {"username": username, "password": password})


def test_the_page_has_a_box_only_when_asked(client: Client) -> None:
    assert 'name="password"' not in client.get(DOOR).content.decode()
    assert 'name="password"' in client.get(f"{DOOR}?password=1").content.decode()


@pytest.mark.parametrize("address", [DOOR, f"{DOOR}?password=1"])
@pytest.mark.parametrize("password", [PASSWORD, "wrong"])
def test_a_local_user_stays_outside(address: str, password: str) -> None:
    make_user("ann", is_superuser=True)
    answer = _sign_in("ann", password, address)
    assert answer.status_code == 403
    assert "does not take passwords" in answer.content.decode()
    assert [line.verb for line in AuditEntry.objects.all()] == ["session.refused"]


def test_nobody_asks_a_directory(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LDAP_URLS = ["ldap://localhost:1"]
    assert _sign_in("ann", "any").status_code == 403


def test_guesses_are_still_slowed_down() -> None:
    codes = [_sign_in("ann", "x").status_code for _ in range(7)]
    assert codes == [403] * 5 + [429] * 2


def test_break_glass_comes_in_while_it_is_open() -> None:
    _user, password = break_glass(actor=SystemActor("test"), hours=1)
    assert _sign_in(BREAK_GLASS, "wrong").status_code == 422
    assert _sign_in(BREAK_GLASS, password).status_code == 302
    User.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert _sign_in(BREAK_GLASS, password).status_code == 403


def test_a_user_who_only_bears_that_name_stays_outside() -> None:
    make_user(BREAK_GLASS)
    assert _sign_in(BREAK_GLASS, PASSWORD).status_code == 403

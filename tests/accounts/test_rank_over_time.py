"""Nobody gives for longer than he holds, keeps what was made for another kind of account, or proves himself by what he has just set up."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from bs4 import BeautifulSoup
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, Grant, Role, SecondFactor, User
from accounts.services import tokens
from adminset.audit import SystemActor
from adminset.http import PROVED_AT
from adminset.models import AuditEntry
from tests.factories import grant, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
JSON = "application/json"
SYSTEM = SystemActor("test")
MANAGER = [
    f"accounts.{action}_{noun}"
    for action in ("view", "add", "change", "delete")
    for noun in ("user", "role", "grant", "apitoken")
]
FACTOR = "/accounts/me/second-factor/"


@pytest.fixture
def manager() -> User:
    """Manages users everywhere, for an hour."""
    user = make_user("manager", perms=[*MANAGER, "cmdb.view_host"])
    user.grants.update(valid_until=timezone.now() + timedelta(hours=1))
    return user


def _role(*perms: str) -> Role:
    return grant(make_user(), perms).role


@pytest.mark.parametrize(
    ("end", "status"),
    [(None, 403), (timedelta(hours=2), 403), (timedelta(minutes=30), 201)],
)
def test_a_right_is_given_no_longer_than_it_is_held(
    client_of: Signed, manager: User, end: timedelta | None, status: int
) -> None:
    until = (timezone.now() + end).isoformat() if end else None
    data = {"user": "ann", "role": _role("cmdb.view_host").name, "everything": True}
    make_user("ann")
    answer = client_of(manager).post(
        "/api/v1/grants/", data | {"valid_until": until}, JSON
    )
    assert answer.status_code == status, answer.content
    assert Grant.objects.filter(user__username="ann").exists() == (status == 201)


def test_nobody_prolongs_his_own_grant(client_of: Signed, manager: User) -> None:
    held = manager.grants.get()
    address = f"/api/v1/grants/{held.pk}/"
    answer = client_of(manager).patch(address, {"valid_until": None}, JSON)
    assert answer.status_code == 403
    assert "until" in answer.content.decode()
    assert manager.grants.get().valid_until == held.valid_until


def test_a_role_does_not_keep_what_its_editor_holds_for_a_time(
    client_of: Signed, manager: User
) -> None:
    role = _role("accounts.view_user")
    sent = {"permissions": ["accounts.view_user", "cmdb.view_host"]}
    answer = client_of(manager).patch(f"/api/v1/roles/{role.pk}/", sent, JSON)
    assert answer.status_code == 403
    assert role.permissions.count() == 1


def test_a_second_grant_without_an_end_lets_give_without_one(
    client_of: Signed, manager: User
) -> None:
    grant(manager, [*MANAGER, "cmdb.view_host"])
    data = {"user": "ann", "role": _role("cmdb.view_host").name, "everything": True}
    make_user("ann")
    assert client_of(manager).post("/api/v1/grants/", data, JSON).status_code == 201


def test_nobody_changes_the_end_of_his_own_account(client_of: Signed) -> None:
    end = timezone.now() + timedelta(days=1)
    boss = make_user("boss", is_superuser=True, expires_at=end)
    answer = client_of(boss).patch(
        f"/api/v1/users/{boss.pk}/", {"expires_at": None}, JSON
    )
    boss.refresh_from_db()
    assert (answer.status_code, boss.expires_at) == (422, end)


@pytest.mark.parametrize("kinds", [("service", "person"), ("person", "service")])
def test_a_change_of_kind_ends_the_tokens(
    client_of: Signed, admin: User, kinds: tuple[str, str]
) -> None:
    user = make_user("robot", kind=kinds[0])
    tokens.create_token(actor=SYSTEM, user=user, name="t")
    client_of(admin).patch(f"/api/v1/users/{user.pk}/", {"kind": kinds[1]}, JSON)
    user.refresh_from_db()
    assert user.kind == kinds[1]
    assert ApiToken.objects.get().state == "revoked"
    assert AuditEntry.objects.filter(verb="apitoken.revoke").count() == 1


def test_nobody_revokes_the_token_of_somebody_above(
    client_of: Signed, admin: User, manager: User
) -> None:
    token, _text = tokens.create_token(actor=SYSTEM, user=admin, name="t")
    browser = client_of(manager)
    assert browser.delete(f"/api/v1/api-tokens/{token.pk}/").status_code == 403
    browser.post(reverse("accounts:apitoken_revoke", args=[token.pk]))
    assert ApiToken.objects.get().state == "usable"


def _stale(browser: Client) -> None:
    session = browser.session
    session[PROVED_AT] = time.time() - settings.STEP_UP_SECONDS - 10
    session.save()


def _secret_shown(browser: Client) -> str:
    page = BeautifulSoup(browser.get(FACTOR).content, "html.parser")
    shown = page.select_one("code.user-select-all")
    return shown.get_text().replace(" ", "") if shown else ""


def test_setting_up_a_second_factor_asks_for_a_fresh_proof(
    client_of: Signed, admin: User
) -> None:
    browser = client_of(admin)
    secret = _secret_shown(browser)
    _stale(browser)
    code = pyotp.TOTP(secret).at(time.time() - 30)
    for answer in (browser.get(FACTOR), browser.post(FACTOR, {"code": code})):
        assert answer.status_code == 302
        assert "/confirm/" in answer["Location"]
    assert SecondFactor.objects.get().confirmed_at is None
    assert browser.get(reverse("accounts:user_add")).status_code == 302


def test_each_session_sets_up_with_a_secret_of_its_own(
    client_of: Signed, admin: User
) -> None:
    first, second = client_of(admin), client_of(admin)
    known = _secret_shown(first)
    assert _secret_shown(first) == known
    own = _secret_shown(second)
    assert own != known
    code = pyotp.TOTP(known).at(time.time() - 30)
    assert second.post(FACTOR, {"code": code}).status_code == 422
    assert SecondFactor.objects.get().confirmed_at is None


def test_nobody_resets_his_own_second_factor(client_of: Any, admin: User) -> None:
    SecondFactor.objects.create(user=admin, secret="x", confirmed_at=timezone.now())
    address = reverse("accounts:user_second_factor_reset", args=[admin.pk])
    answer = client_of(admin).post(address)
    assert answer.status_code == 409
    assert SecondFactor.objects.count() == 1

"""Service accounts: no password, no session, never an administrator; they speak by tokens that others make for them."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as portal
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, PortalSession, RecoveryCode, SecondFactor, User
from accounts.services import users
from adminset.errors import DomainError
from adminset.http import PROVED_AT
from adminset.models import AuditEntry
from tests.factories import PASSWORD, grant, make_user

pytestmark = pytest.mark.django_db
MANAGER = (
    "accounts.view_user",
    "accounts.change_user",
    "accounts.view_apitoken",
    "accounts.add_apitoken",
)


@pytest.fixture
def robot(db: None) -> User:
    """A service account."""
    return make_user("robot", kind="service")


def api(client: Client, path: str, body: object, method: str = "post") -> Any:
    """Send JSON."""
    call = getattr(client, method)
    return call(f"/api/v1/{path}/", body, content_type="application/json")


def test_the_api_makes_one_without_a_password(client_of: Any, admin: User) -> None:
    answer = api(client_of(admin), "users", {"username": "robot", "kind": "service"})
    assert (answer.status_code, answer.json()["kind"]) == (201, "service")
    assert not User.objects.get(username="robot").has_usable_password()


@pytest.mark.parametrize(
    ("field", "value"),
    [("password", "quite another long secret"), ("is_superuser", True)],
)
def test_it_has_no_password_and_is_no_administrator(
    client_of: Any, admin: User, robot: User, field: str, value: Any
) -> None:
    browser = client_of(admin)
    body = {"username": "other", "kind": "service", field: value}
    assert field in api(browser, "users", body).json()["error"]["fields"]
    changed = api(browser, f"users/{robot.pk}", {field: value}, "patch")
    assert changed.status_code == 422
    robot.refresh_from_db()
    assert not robot.is_superuser
    assert robot.check_password(PASSWORD)  # of the factory: unchanged
    assert not User.objects.filter(username="other").exists()


def test_it_does_not_come_in_by_the_door(client: Client, robot: User) -> None:
    data = {"username": "robot", "password": PASSWORD}
    assert client.post(reverse("accounts:sign_in"), data).status_code == 422
    assert not PortalSession.objects.filter(user=robot).exists()


def test_nobody_sets_its_password(client_of: Any, admin: User, robot: User) -> None:
    url = reverse("accounts:user_password", args=[robot.pk])
    assert url not in client_of(admin).get(robot.get_absolute_url()).content.decode()
    data = {"password": "quite another long secret"}
    answer = client_of(admin).post(url, {**data, "repeat": data["password"]})
    assert answer.status_code == 422
    assert "has no password" in answer.content.decode()
    with pytest.raises(DomainError):
        users.set_password(actor=admin, user=robot, **data)


def test_a_person_turned_into_one_loses_what_only_people_have(
    client_of: Any, admin: User
) -> None:
    ann = make_user("ann")
    hers = client_of(ann)
    SecondFactor.objects.create(user=ann, secret="x", confirmed_at="2026-01-01T00:00Z")
    RecoveryCode.objects.create(user=ann, code_hash="x")
    answer = api(client_of(admin), f"users/{ann.pk}", {"kind": "service"}, "patch")
    assert answer.status_code == 200
    ann.refresh_from_db()
    assert not ann.has_usable_password()
    for model in (SecondFactor, RecoveryCode, PortalSession):
        assert not model.objects.filter(user=ann).exists()
    assert hers.get("/accounts/me/").status_code == 302
    change = AuditEntry.objects.get(verb="user.update").changes
    assert {"field": "kind", "old": "person", "new": "service"} in change


def test_nobody_turns_himself_or_the_last_administrator_into_one(
    client_of: Any, admin: User
) -> None:
    body = {"kind": "service", "is_superuser": False}
    assert api(client_of(admin), f"users/{admin.pk}", body, "patch").status_code == 409
    admin.refresh_from_db()
    assert (admin.kind, admin.is_superuser) == ("person", True)


def test_the_list_shows_and_filters_the_kind(
    client_of: Any, admin: User, robot: User
) -> None:
    page = client_of(admin).get("/accounts/users/?kind=service")
    assert page.context["total"] == 1
    assert "service account" in page.content.decode()


def test_who_may_change_it_makes_its_tokens_shown_once(
    client_of: Any, robot: User
) -> None:
    browser = client_of(make_user(perms=[*MANAGER, "cmdb.view_host"]))
    grant(robot, ["cmdb.view_host"])
    url = reverse("accounts:user_token_add", args=[robot.pk])
    panel = f"{robot.get_absolute_url()}?tab=tokens"
    assert url in browser.get(panel).content.decode()
    data = {"name": "ci", "days": "10", "permissions": ["cmdb.view_host"]}
    answer = browser.post(url, data)
    text = answer.context["text"]
    assert "no-store" in answer["Cache-Control"]
    token = ApiToken.objects.get()
    assert (token.user, token.permissions) == (robot, ["cmdb.view_host"])
    headers = {"Authorization": f"Bearer {text}"}
    assert Client().get("/api/v1/hosts/", headers=headers).status_code == 200
    assert text not in browser.get(panel).content.decode()
    rotated = browser.post(reverse("accounts:apitoken_rotate", args=[token.pk]))
    assert rotated.context["token"].replaces == token


def test_nobody_makes_tokens_above_himself_or_of_people(
    client_of: Any, robot: User
) -> None:
    browser = client_of(make_user(perms=MANAGER))
    data = {"name": "ci", "days": "10"}
    person = reverse("accounts:user_token_add", args=[make_user().pk])
    assert browser.post(person, data).status_code == 409
    grant(robot, ["cmdb.delete_host"])
    url = reverse("accounts:user_token_add", args=[robot.pk])
    assert browser.post(url, data).status_code == 403
    few = client_of(make_user(perms=["accounts.view_user", "accounts.change_user"]))
    assert few.post(url, data).status_code == 403
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("name", ["my_token_add", "my_token_rotate", "user_token_add"])
def test_making_a_token_asks_for_a_fresh_proof(
    client_of: Any, admin: User, robot: User, name: str
) -> None:
    browser = client_of(admin)
    session = browser.session
    session[PROVED_AT] = time.time() - portal.STEP_UP_SECONDS - 1
    session.save()
    browser.post("/")  # anything
    args = {"my_token_add": [], "user_token_add": [robot.pk]}
    if name == "my_token_rotate":
        token = ApiToken.objects.create(
            user=admin,
            name="t",
            prefix="abc",
            secret_hash="0" * 64,
            expires_at=session.get_expiry_date() + timedelta(days=1),
        )
        args[name] = [token.pk]
    before = ApiToken.objects.count()
    url = reverse(f"accounts:{name}", args=args[name])
    answer = browser.post(url, {"name": "ci", "days": "10"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/confirm/")
    assert ApiToken.objects.count() == before

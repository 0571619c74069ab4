"""Tokens in use: from which networks, how often wrong, where never, and how they are rotated."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiToken, User
from accounts.services import tokens as services
from adminset.audit import SystemActor
from adminset.errors import DomainError
from adminset.models import AuditEntry
from tests.factories import make_user

pytestmark = pytest.mark.django_db
USERS = "/api/v1/users/"
SYSTEM = SystemActor("test")


def made(user: User, **limits: Any) -> tuple[ApiToken, str]:
    """Make a token."""
    return services.create_token(actor=SYSTEM, user=user, name="script", **limits)


def ask(text: str, address: str = "127.0.0.1", path: str = USERS) -> Any:
    """Call the API with a token from an address."""
    headers = {"Authorization": f"Bearer {text}"}
    return Client(REMOTE_ADDR=address).get(path, headers=headers)


def test_a_token_works_from_its_networks_only(admin: User) -> None:
    token, text = made(admin, networks=["10.1.0.0/16", "2001:db8::/32"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7"):
        assert ask(text, address).status_code == 200, address
    assert not AuditEntry.objects.filter(verb="apitoken.refused").exists()
    unknown = ask("aaaaaaaaaaaa.b").json()["error"]
    for address in ("10.2.0.1", "2001:db9::7", "127.0.0.1", "10.2.0.1"):
        answer = ask(text, address)
        assert answer.status_code == 401, address
        assert answer.json()["error"] == unknown
    # Those that follow within the hour are not told again.
    entry = AuditEntry.objects.get(verb="apitoken.refused")
    assert (entry.address, entry.target_id) == ("10.2.0.1", str(token.pk))
    assert entry.actor == admin
    assert text.split(".")[1] not in str(AuditEntry.objects.values())


def test_a_forwarded_address_of_nobodys_proxy_opens_nothing(admin: User) -> None:
    _token, text = made(admin, networks=["10.1.0.0/16"])
    headers = {"Authorization": f"Bearer {text}", "X-Forwarded-For": "10.1.2.3"}
    answer = Client(REMOTE_ADDR="192.0.2.1").get(USERS, headers=headers)
    assert answer.status_code == 401


def test_the_last_use_says_from_where(admin: User) -> None:
    token, text = made(admin)
    ask(text, "10.1.2.3")
    ask(text, "10.9.9.9")
    token.refresh_from_db()
    assert token.last_used_address == "10.1.2.3"  # kept at most once a minute
    past = timezone.now() - timedelta(seconds=61)
    ApiToken.objects.update(last_used_at=past)
    ask(text, "10.9.9.9")
    token.refresh_from_db()
    assert token.last_used_address == "10.9.9.9"


def test_a_flood_of_wrong_tokens_is_held_up_and_right_ones_are_not(
    admin: User, settings: Any
) -> None:
    settings.TOKEN_FAILURES = 3
    _token, text = made(admin)
    wrong = [ask(f"{text}x").status_code for _guess in range(5)]
    assert wrong == [401, 401, 401, 429, 429]
    answer = ask(f"{text}x")
    assert answer.json()["error"]["code"] == "too_many_attempts"
    assert int(answer["Retry-After"]) > 0
    assert [ask(text).status_code for _call in range(5)] == [200] * 5
    assert ask(f"{text}x", "10.1.2.3").status_code == 401


@pytest.mark.parametrize("when", ["expired", "service"])
def test_a_user_whose_time_is_over_has_no_token(admin: User, when: str) -> None:
    user = make_user(perms=["accounts.view_user"], kind="service")
    _token, text = made(user)
    assert ask(text).status_code == 200
    over = timezone.now() - timedelta(seconds=1)
    change = {"expired": {"expires_at": over}, "service": {"is_active": False}}
    User.objects.filter(pk=user.pk).update(**change[when])
    assert ask(text).status_code == 401


@pytest.mark.parametrize("name", ["token", "access_token", "Authorization", "api_key"])
def test_a_token_in_the_address_is_none(client: Client, admin: User, name: str) -> None:
    _token, text = made(admin)
    for value in (text, f"Bearer {text}"):
        assert client.get(USERS, {name: value}).status_code in (401, 422)
        assert client.post(f"{USERS}?{name}={value}", {}).status_code in (401, 415)
    client.cookies["token"] = text
    assert client.get(USERS).status_code == 401
    assert ApiToken.objects.get().last_used_at is None


def test_a_token_opens_no_page(admin: User) -> None:
    _token, text = made(admin, can_write=True)
    headers = {"Authorization": f"Bearer {text}"}
    for name in ("my_tokens", "my_token_add", "user_list"):
        answer = Client().get(reverse(f"accounts:{name}"), headers=headers)
        assert answer.status_code == 302
        assert "/sign-in/" in answer["Location"]


def test_a_token_makes_no_token(admin: User) -> None:
    token, text = made(admin, can_write=True)
    robot = make_user("robot", kind="service")
    headers = {"Authorization": f"Bearer {text}"}
    path = f"/api/v1/api-tokens/{token.pk}/rotate/"
    answer = Client().post(path, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "session_only"
    assert Client().post("/api/v1/api-tokens/", headers=headers).status_code == 405
    admin.token = token
    with pytest.raises(DomainError):
        services.create_token(actor=admin, user=robot, name="x")
    assert ApiToken.objects.count() == 1


def test_a_rotated_token_overlaps_with_the_new_one(client_of: Any, admin: User) -> None:
    limits = {"permissions": ["accounts.view_user"], "networks": ["127.0.0.0/8"]}
    old, old_text = made(admin, days=30, **limits)
    answer = client_of(admin).post(f"/api/v1/api-tokens/{old.pk}/rotate/")
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    new = ApiToken.objects.get(pk=answer.json()["id"])
    assert (new.replaces, new.user, new.name) == (old, admin, old.name)
    assert (new.permissions, new.networks) == (old.permissions, old.networks)
    assert timedelta(days=29) < new.expires_at - timezone.now() < timedelta(days=30)
    for text in (old_text, answer.json()["token"]):
        assert ask(text).status_code == 200
    old.refresh_from_db()
    assert old.expires_at - timezone.now() < timedelta(hours=24)
    ApiToken.objects.filter(pk=old.pk).update(expires_at=timezone.now())
    assert ask(old_text).status_code == 401
    verbs = AuditEntry.objects.order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["apitoken.create", "apitoken.create", "apitoken.rotate"]
    secret = answer.json()["token"].split(".")[1]
    assert secret not in str(list(AuditEntry.objects.values()))


def test_without_overlap_the_old_token_stops_at_once(
    client_of: Any, stranger: User, settings: Any
) -> None:
    settings.TOKEN_OVERLAP_HOURS = 0
    old, text = made(stranger)
    url = reverse("accounts:my_token_rotate", args=[old.pk])
    assert client_of(stranger).get(url).status_code == 405
    page = client_of(stranger).post(url)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    assert ask(text).status_code == 401
    assert ask(page.context["text"]).status_code == 403  # known, and may nothing


def test_a_token_is_replaced_once_and_only_while_it_works(
    client_of: Any, stranger: User
) -> None:
    url = "accounts:my_token_rotate"
    old, _text = made(stranger)
    ended, _text = made(stranger)
    services.revoke_token(actor=stranger, instance=ended)
    browser = client_of(stranger)
    statuses = [
        browser.post(reverse(url, args=[token.pk])).status_code
        for token in (old, old, ended)
    ]
    assert statuses == [200, 409, 409]
    assert ApiToken.objects.count() == 3


def test_nobody_rotates_the_token_of_another_person(
    client_of: Any, admin: User, stranger: User
) -> None:
    token, _text = made(stranger)
    foreign = reverse("accounts:my_token_rotate", args=[token.pk])
    assert client_of(make_user()).post(foreign).status_code == 404
    path = f"/api/v1/api-tokens/{token.pk}/rotate/"
    assert client_of(make_user()).post(path).status_code == 404
    assert (
        client_of(admin).post(path).status_code == 409
    )  # it would speak as that person
    assert ApiToken.objects.count() == 1


def test_the_command_rotates_by_prefix(
    admin: User, capsys: pytest.CaptureFixture[str]
) -> None:
    old, _text = made(admin)
    call_command("rotate_token", old.prefix)
    text = capsys.readouterr().out.splitlines()[-1]
    assert ask(text).status_code == 200
    with pytest.raises(CommandError, match="already replaced"):
        call_command("rotate_token", old.prefix)
    with pytest.raises(CommandError, match="no token"):
        call_command("rotate_token", "nothing")


def test_the_list_says_which_end_soon_and_which_nobody_uses(
    client_of: Any, admin: User
) -> None:
    ending, _text = made(admin, days=3)
    idle, _text = made(admin, days=300)
    long_ago = timezone.now() - timedelta(days=91)
    ApiToken.objects.filter(pk=idle.pk).update(created_at=long_ago)
    page = client_of(admin).get(reverse("accounts:my_tokens")).content.decode()
    assert "expires in 2 days" in page
    assert page.count("unused for 90 days") == 1
    for state, row in (("ending", ending), ("idle", idle)):
        listed = client_of(admin).get(f"/api/v1/api-tokens/?state={state}").json()
        assert [found["id"] for found in listed["results"]] == [row.pk]

"""Signing in by OpenID Connect against a real local provider: the redirects, what is believed, groups to roles, and forgeries."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from accounts.models import GroupMapping, User
from adminset import outbound
from adminset.models import AuditEntry
from tests.accounts.at_provider import (
    BACK,
    START,
    answer_of,
    claims_in,
    forge,
    is_in,
    make_known,
    sign_in,
)
from tests.factories import grant, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("oidc_sign_in")]
Signed = Callable[[User], Client]


def test_somebody_of_the_provider_signs_in_and_becomes_a_user(provider: str) -> None:
    make_known(provider, "ann", name="Ann Example")
    browser = Client()
    answer = sign_in(browser, "ann", next="/cmdb/hosts/")
    assert answer["Location"] == "/cmdb/hosts/"
    assert is_in(browser)
    user = User.objects.get()
    assert (user.username, user.source, user.display_name) == (
        "ann",
        "oidc",
        "Ann Example",
    )
    assert user.external_id == f"{provider}#ann"
    started = AuditEntry.objects.get(verb="session.start")
    assert {"field": "method", "old": None, "new": "oidc"} in started.changes


def test_the_question_carries_state_nonce_and_a_challenge(provider: str) -> None:
    asked = parse_qs(urlsplit(Client().get(START)["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert all(
        len(asked[name][0]) >= 32 for name in ("state", "nonce", "code_challenge")
    )
    assert "client_secret" not in asked


def test_who_changes_the_name_there_stays_the_same_user(provider: str) -> None:
    make_known(provider, "eve")
    sign_in(Client(), "eve")
    make_known(provider, "eve", preferred_username="admin", email="new@example.com")
    sign_in(Client(), "eve")
    user = User.objects.get()
    assert (user.username, user.email) == ("eve", "new@example.com")


def test_a_local_user_of_that_name_is_not_taken_over(
    provider: str, admin: User
) -> None:
    make_known(provider, "mallory", preferred_username="admin")
    browser = Client()
    answer = sign_in(browser, "mallory")
    assert answer["Location"] == "/accounts/sign-in/"
    assert (
        "is taken here by somebody else"
        in browser.get("/accounts/sign-in/").content.decode()
    )
    assert not is_in(browser)
    assert User.objects.get().source == "local"


def test_groups_of_the_claim_bring_roles(provider: str) -> None:
    role = grant(make_user(), ["cmdb.view_host"]).role
    GroupMapping.objects.create(source="oidc", group="Ops", role=role, everything=True)
    make_known(provider, "olga", groups=["ops", "all"])
    browser = Client()
    sign_in(browser, "olga")
    assert browser.get("/cmdb/hosts/").status_code == 200
    make_known(provider, "olga", groups=["all"])
    other = Client()
    sign_in(other, "olga")
    assert browser.get("/cmdb/hosts/").status_code == 403


def test_only_members_of_the_required_group_come_in(
    provider: str, settings: Any
) -> None:
    settings.OIDC_REQUIRE_GROUP = "ops"
    make_known(provider, "otto", groups=["dev"])
    browser = Client()
    sign_in(browser, "otto")
    assert not is_in(browser)
    assert not User.objects.exists()


def test_an_answer_without_this_sessions_state_is_not_taken(provider: str) -> None:
    make_known(provider, "ann")
    victim, attacker = Client(), Client()
    query = answer_of(attacker.get(START)["Location"], "ann")
    assert victim.get(f"{BACK}?{query}")["Location"] == "/accounts/sign-in/"
    victim.get(START)
    assert victim.get(f"{BACK}?{query}")["Location"] == "/accounts/sign-in/"
    assert not is_in(victim)
    assert not User.objects.exists()


def test_an_answer_is_taken_once(provider: str) -> None:
    make_known(provider, "ann")
    browser = Client()
    query = answer_of(browser.get(START)["Location"], "ann")
    browser.get(f"{BACK}?{query}")
    assert is_in(browser)
    browser.post("/accounts/sign-out/")
    assert browser.get(f"{BACK}?{query}")["Location"] == "/accounts/sign-in/"
    assert not is_in(browser)


def _unsigned(body: dict[str, Any]) -> str:
    def part(value: Any) -> str:
        return (
            base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
        )

    return f"{part({'alg': 'none'})}.{part(claims_in(body))}."


def _by_another_key(body: dict[str, Any]) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(claims_in(body), key, "RS256")


@pytest.mark.parametrize(
    "change",
    [
        _unsigned,
        _by_another_key,
        lambda body: body["id_token"][:-8] + "AAAAAAAA",
        lambda body: "",
    ],
    ids=["unsigned", "another key", "altered", "none"],
)
def test_a_forged_token_lets_nobody_in(
    provider: str, monkeypatch: pytest.MonkeyPatch, change: Any
) -> None:
    make_known(provider, "ann")
    forge(monkeypatch, change)
    browser = Client()
    sign_in(browser, "ann")
    assert not is_in(browser)
    assert not User.objects.exists()
    assert AuditEntry.objects.filter(verb="session.refused").count() == 1


@pytest.mark.parametrize(
    ("name", "value"), [("OIDC_CLIENT_ID", "another client")], ids=["audience"]
)
def test_a_token_for_somebody_else_lets_nobody_in(
    provider: str, settings: Any, name: str, value: str
) -> None:
    make_known(provider, "ann")
    browser = Client()
    query = answer_of(browser.get(START)["Location"], "ann")
    setattr(settings, name, value)
    browser.get(f"{BACK}?{query}")
    assert not is_in(browser)


def test_a_nonce_of_another_sign_in_is_not_believed(provider: str) -> None:
    make_known(provider, "ann")
    browser = Client()
    query = answer_of(browser.get(START)["Location"], "ann")
    session = browser.session
    session["oidc_flow"] = session["oidc_flow"] | {"nonce": "another"}
    session.save()
    browser.get(f"{BACK}?{query}")
    assert "not believed (nonce)" in browser.get("/accounts/sign-in/").content.decode()
    assert not is_in(browser)


def test_a_provider_that_calls_itself_otherwise_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = json.dumps({"issuer": "https://evil.example"}).encode()
    monkeypatch.setattr(
        outbound, "fetch", lambda *a, **k: outbound.Answer(200, {}, told)
    )
    browser = Client()
    assert browser.get(START)["Location"] == "/accounts/sign-in/"
    page = browser.get("/accounts/sign-in/").content.decode()
    assert "calls itself https://evil.example" in page


def test_a_provider_that_is_away_or_says_no_is_told_in_words(
    settings: Any, provider: str
) -> None:
    browser = Client()
    state = parse_qs(urlsplit(browser.get(START)["Location"]).query)["state"][0]
    browser.get(f"{BACK}?error=access_denied&state={state}")
    assert (
        "did not let you in (access_denied)"
        in browser.get("/accounts/sign-in/").content.decode()
    )
    settings.OIDC_ISSUER = "http://localhost:1"
    browser.get(START)
    assert "could not be asked" in browser.get("/accounts/sign-in/").content.decode()


def test_without_a_provider_there_is_no_such_page(
    settings: Any, client: Client
) -> None:
    settings.OIDC_ISSUER = ""
    assert client.get(START).status_code == 404
    assert client.get(BACK).status_code == 404
    assert "provider" not in client.get("/accounts/sign-in/").content.decode()

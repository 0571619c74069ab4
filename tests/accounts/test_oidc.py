"""Signing in by OpenID Connect against a real local provider: the redirects, what is believed, groups to roles, and forgeries."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from oidc_provider_mock import run_server_in_thread

from accounts import oidc
from accounts.models import GroupMapping, User
from adminset import outbound
from adminset.models import AuditEntry
from tests.factories import grant, make_user

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
START, BACK = "/accounts/sign-in/provider/", "/accounts/sign-in/provider/back/"


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    with run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture(autouse=True)
def configured(provider: str, settings: Any) -> None:
    settings.OIDC_ISSUER = provider
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = "portal", "the client's word"
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8", "::1/128"]


def _known(provider: str, sub: str, **claims: Any) -> None:
    told = {"preferred_username": sub, "email": f"{sub}@example.com", **claims}
    requests.put(f"{provider}/users/{sub}", json=told, timeout=5).raise_for_status()


def _at_provider(address: str, sub: str) -> str:
    """Sign in there as a browser does; give the query with which it sends one back."""
    answer = requests.post(address, data={"sub": sub}, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    place = urlsplit(answer.headers["Location"])
    assert place.path == BACK
    return place.query


def _sign_in(browser: Client, sub: str, **more: str) -> Any:
    sent_away = browser.get(START, more)
    assert sent_away.status_code == 302
    return browser.get(f"{BACK}?{_at_provider(sent_away['Location'], sub)}")


def _is_in(browser: Client) -> bool:
    return browser.get("/accounts/me/").status_code == 200


def test_somebody_of_the_provider_signs_in_and_becomes_a_user(provider: str) -> None:
    _known(provider, "ann", name="Ann Example")
    browser = Client()
    answer = _sign_in(browser, "ann", next="/cmdb/hosts/")
    assert answer["Location"] == "/cmdb/hosts/"
    assert _is_in(browser)
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
    _known(provider, "eve")
    _sign_in(Client(), "eve")
    _known(provider, "eve", preferred_username="admin", email="new@example.com")
    _sign_in(Client(), "eve")
    user = User.objects.get()
    assert (user.username, user.email) == ("eve", "new@example.com")


def test_a_local_user_of_that_name_is_not_taken_over(
    provider: str, admin: User
) -> None:
    _known(provider, "mallory", preferred_username="admin")
    browser = Client()
    answer = _sign_in(browser, "mallory")
    assert answer["Location"] == "/accounts/sign-in/"
    assert (
        "is taken here by somebody else"
        in browser.get("/accounts/sign-in/").content.decode()
    )
    assert not _is_in(browser)
    assert User.objects.get().source == "local"


def test_groups_of_the_claim_bring_roles(provider: str) -> None:
    role = grant(make_user(), ["cmdb.view_host"]).role
    GroupMapping.objects.create(source="oidc", group="Ops", role=role, everything=True)
    _known(provider, "olga", groups=["ops", "all"])
    browser = Client()
    _sign_in(browser, "olga")
    assert browser.get("/cmdb/hosts/").status_code == 200
    _known(provider, "olga", groups=["all"])
    other = Client()
    _sign_in(other, "olga")
    assert browser.get("/cmdb/hosts/").status_code == 403


def test_only_members_of_the_required_group_come_in(
    provider: str, settings: Any
) -> None:
    settings.OIDC_REQUIRE_GROUP = "ops"
    _known(provider, "otto", groups=["dev"])
    browser = Client()
    _sign_in(browser, "otto")
    assert not _is_in(browser)
    assert not User.objects.exists()


def test_an_answer_without_this_sessions_state_is_not_taken(provider: str) -> None:
    _known(provider, "ann")
    victim, attacker = Client(), Client()
    query = _at_provider(attacker.get(START)["Location"], "ann")
    assert victim.get(f"{BACK}?{query}")["Location"] == "/accounts/sign-in/"
    victim.get(START)
    assert victim.get(f"{BACK}?{query}")["Location"] == "/accounts/sign-in/"
    assert not _is_in(victim)
    assert not User.objects.exists()


def test_an_answer_is_taken_once(provider: str) -> None:
    _known(provider, "ann")
    browser = Client()
    query = _at_provider(browser.get(START)["Location"], "ann")
    browser.get(f"{BACK}?{query}")
    assert _is_in(browser)
    browser.post("/accounts/sign-out/")
    assert browser.get(f"{BACK}?{query}")["Location"] == "/accounts/sign-in/"
    assert not _is_in(browser)


def _forge(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], Any]
) -> None:
    """Let the provider's token answer through a hand that changes it."""
    real = outbound.fetch

    def fetch(method: str, url: str, **more: Any) -> outbound.Answer:
        answer = real(method, url, **more)
        if method != "POST":
            return answer
        body = json.loads(answer.body)
        body["id_token"] = change(body)
        return outbound.Answer(answer.status, answer.headers, json.dumps(body).encode())

    monkeypatch.setattr(oidc.outbound, "fetch", fetch)


def _claims(body: dict[str, Any]) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        body["id_token"], options={"verify_signature": False}
    )
    return claims


def _unsigned(body: dict[str, Any]) -> str:
    def part(value: Any) -> str:
        return (
            base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
        )

    return f"{part({'alg': 'none'})}.{part(_claims(body))}."


def _by_another_key(body: dict[str, Any]) -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return jwt.encode(_claims(body), key, "RS256")


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
    _known(provider, "ann")
    _forge(monkeypatch, change)
    browser = Client()
    _sign_in(browser, "ann")
    assert not _is_in(browser)
    assert not User.objects.exists()
    assert AuditEntry.objects.filter(verb="session.refused").count() == 1


@pytest.mark.parametrize(
    ("name", "value"), [("OIDC_CLIENT_ID", "another client")], ids=["audience"]
)
def test_a_token_for_somebody_else_lets_nobody_in(
    provider: str, settings: Any, name: str, value: str
) -> None:
    _known(provider, "ann")
    browser = Client()
    query = _at_provider(browser.get(START)["Location"], "ann")
    setattr(settings, name, value)
    browser.get(f"{BACK}?{query}")
    assert not _is_in(browser)


def test_a_nonce_of_another_sign_in_is_not_believed(provider: str) -> None:
    _known(provider, "ann")
    browser = Client()
    query = _at_provider(browser.get(START)["Location"], "ann")
    session = browser.session
    session["oidc_flow"] = session["oidc_flow"] | {"nonce": "another"}
    session.save()
    browser.get(f"{BACK}?{query}")
    assert "not believed (nonce)" in browser.get("/accounts/sign-in/").content.decode()
    assert not _is_in(browser)


def test_a_provider_that_calls_itself_otherwise_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = json.dumps({"issuer": "https://evil.example"}).encode()
    monkeypatch.setattr(
        oidc.outbound, "fetch", lambda *a, **k: outbound.Answer(200, {}, told)
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


def test_who_has_a_second_factor_gives_a_code_too(provider: str) -> None:
    from accounts import second_factor  # noqa: PLC0415 - for this case only
    from accounts.models import SecondFactor  # noqa: PLC0415 - likewise

    _known(provider, "tom")
    _sign_in(Client(), "tom")
    SecondFactor.objects.create(
        user=User.objects.get(),
        secret=second_factor.new_secret(),
        confirmed_at="2026-01-01T00:00:00Z",
    )
    browser = Client()
    assert _sign_in(browser, "tom")["Location"] == "/accounts/sign-in/code/"
    assert not _is_in(browser)


def test_the_provider_proves_once_more_who_is_there(provider: str) -> None:
    _known(provider, "ann")
    _known(provider, "bob")
    browser = Client()
    _sign_in(browser, "ann")
    session = browser.session
    session["proved_at"] = 0
    session.save()
    assert (
        "Sign in again at your provider"
        in browser.get("/accounts/confirm/").content.decode()
    )
    asked = browser.get("/accounts/confirm/provider/?next=/cmdb/hosts/")["Location"]
    assert "prompt=login" in asked
    browser.get(f"{BACK}?{_at_provider(asked, 'bob')}")
    assert browser.session["proved_at"] == 0
    asked = browser.get("/accounts/confirm/provider/?next=/cmdb/hosts/")["Location"]
    assert (
        browser.get(f"{BACK}?{_at_provider(asked, 'ann')}")["Location"]
        == "/cmdb/hosts/"
    )
    assert browser.session["proved_at"] > 0


def test_without_a_provider_there_is_no_such_page(
    settings: Any, client: Client
) -> None:
    settings.OIDC_ISSUER = ""
    assert client.get(START).status_code == 404
    assert client.get(BACK).status_code == 404
    assert "provider" not in client.get("/accounts/sign-in/").content.decode()


def test_passwords_can_be_left_to_break_glass(settings: Any, client: Client) -> None:
    settings.PASSWORD_SIGN_IN = False
    assert 'name="password"' not in client.get("/accounts/sign-in/").content.decode()
    assert (
        'name="password"'
        in client.get("/accounts/sign-in/?password=1").content.decode()
    )

"""A provider that sends nonsense, names that cannot be ours, and strangers who knock at its two addresses without end."""

import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.test import Client

from accounts import oidc
from accounts.models import PortalSession, User
from adminset import outbound
from adminset.models import AuditEntry
from tests.accounts.at_provider import (
    BACK,
    START,
    answer_of,
    forge,
    is_in,
    make_known,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("oidc_sign_in")]
DEEP = b'{"a":' * 100_000
SIGN_IN = "/accounts/sign-in/"


def _reword(
    monkeypatch: pytest.MonkeyPatch, part: str, change: Callable[[bytes], bytes]
) -> None:
    """Change the body of one of the provider's answers: the one whose address has `part` in it."""
    real = outbound.fetch

    def fetch(method: str, url: str, **more: Any) -> outbound.Answer:
        answer = real(method, url, **more)
        body = change(answer.body) if part in url else answer.body
        return outbound.Answer(answer.status, answer.headers, body)

    monkeypatch.setattr(outbound, "fetch", fetch)


def _with(**values: Any) -> Callable[[bytes], bytes]:
    return lambda body: json.dumps(json.loads(body) | values).encode()


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("jwks", _with(keys=[])),
        ("jwks", _with(keys=7)),
        ("jwks", _with(keys=["x", None])),
        ("jwks", _with(keys=[{"kty": "RSA", "n": "!", "e": [1]}])),
        ("jwks", lambda _body: b"{}"),
        ("jwks", lambda _body: DEEP),
        ("token", lambda _body: DEEP),
        ("token", _with(access_token="a\nb\u4e2d")),
        ("token", _with(id_token=["x"])),
        ("userinfo", lambda _body: DEEP),
        ("openid-configuration", lambda _body: DEEP),
        ("openid-configuration", _with(token_endpoint=None)),
        ("openid-configuration", _with(jwks_uri="http://[")),
        ("openid-configuration", _with(authorization_endpoint=[1])),
    ],
)
def test_a_provider_that_sends_nonsense_lets_nobody_in(
    provider: str, monkeypatch: pytest.MonkeyPatch, part: str, change: Any
) -> None:
    make_known(provider, "ann")
    _reword(monkeypatch, part, change)
    browser = Client()
    answer = browser.get(START)
    if answer["Location"] != SIGN_IN:
        answer = browser.get(f"{BACK}?{answer_of(answer['Location'], 'ann')}")
    assert (answer.status_code, answer["Location"]) == (302, SIGN_IN)
    assert "alert" in browser.get(SIGN_IN).content.decode()
    assert not is_in(browser)
    assert not User.objects.exists()


@pytest.mark.parametrize("header", [DEEP, b'{"alg":"RS256","kid":[1]}', b"\xff"])
def test_a_token_that_is_none_lets_nobody_in(
    provider: str, monkeypatch: pytest.MonkeyPatch, header: bytes
) -> None:
    make_known(provider, "ann")
    forge(
        monkeypatch,
        lambda _body: f"{jwt.utils.base64url_encode(header).decode()}.e30.AAAA",
    )
    browser = Client()
    assert sign_in(browser, "ann")["Location"] == SIGN_IN
    assert not is_in(browser)


@pytest.mark.parametrize("claim", ["name", "preferred_username", "email", "groups"])
def test_a_claim_with_half_a_character_is_refused_in_words(
    provider: str, monkeypatch: pytest.MonkeyPatch, claim: str
) -> None:
    make_known(provider, "ann")
    _reword(monkeypatch, "userinfo", _with(**{claim: "a\ud800"}))
    real = oidc._believed
    monkeypatch.setattr(
        oidc,
        "_believed",
        lambda *given: {k: v for k, v in real(*given).items() if k != claim},
    )
    browser = Client()
    assert sign_in(browser, "ann")["Location"] == SIGN_IN
    assert "not valid Unicode" in browser.get(SIGN_IN).content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["ann smith", "o'brien", "安 娜", "x" * 151])
def test_a_name_that_cannot_be_ours_is_refused_and_told(
    provider: str, name: str
) -> None:
    make_known(provider, "ann", preferred_username=name)
    browser = Client()
    assert sign_in(browser, "ann")["Location"] == SIGN_IN
    assert "cannot be a user name here" in browser.get(SIGN_IN).content.decode()
    assert not is_in(browser)
    assert not User.objects.exists()
    line = AuditEntry.objects.get()
    assert (line.verb, line.reason) == ("session.refused", f"bad_name: {name[:150]}")


def test_a_mail_address_that_is_none_is_left_out(provider: str) -> None:
    make_known(provider, "ann", email=f"{'x' * 300}@example.com")
    browser = Client()
    sign_in(browser, "ann")
    assert is_in(browser)
    assert User.objects.get().email == ""


def test_a_name_that_is_taken_is_told(provider: str, admin: User) -> None:
    make_known(provider, "mallory", preferred_username="admin")
    sign_in(Client(), "mallory")
    line = AuditEntry.objects.get()
    assert (line.verb, line.reason) == ("session.refused", "name_taken: admin")


def test_who_never_began_leaves_no_line(admin: User) -> None:
    for number in range(5):
        answer = Client().get(f"{BACK}?state=x{number}&code=y")
        assert (answer.status_code, answer["Location"]) == (302, SIGN_IN)
    assert not AuditEntry.objects.exists()


def test_strangers_are_held_up_at_the_way_back(settings: Any) -> None:
    settings.SIGN_IN_ADDRESS_ATTEMPTS = 3
    codes = [Client().get(f"{BACK}?state=x").status_code for _ in range(6)]
    assert codes == [302] * 3 + [429] * 3
    (line,) = AuditEntry.objects.all()
    assert line.verb == "session.throttled"


def test_strangers_do_not_fill_the_table_of_sessions(settings: Any) -> None:
    settings.SIGN_IN_ADDRESS_ATTEMPTS = 3
    answers = [Client().get(START) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [302] * 3 + [429] * 3
    assert int(answers[-1]["Retry-After"]) > 0
    assert PortalSession.objects.count() == 3
    assert AuditEntry.objects.filter(verb="session.throttled").count() == 1
    assert Client(REMOTE_ADDR="10.9.9.9").get(START).status_code == 302


def test_a_whole_company_behind_one_address_signs_in(
    provider: str, settings: Any
) -> None:
    settings.SIGN_IN_ADDRESS_ATTEMPTS = 3
    make_known(provider, "ann")
    for _again in range(8):
        browser = Client()
        sign_in(browser, "ann")
        assert is_in(browser)

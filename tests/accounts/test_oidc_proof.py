"""The provider as a second proof: only a fresh sign-in there counts, and never instead of the code of a second factor."""

import json
import time
from typing import Any

import pyotp
import pytest
from django.test import Client
from oidc_provider_mock._storage import AuthorizationCode

from accounts import oidc, second_factor
from accounts.models import SecondFactor, User
from adminset import outbound
from adminset.http import PROVED_AT
from adminset.models import AuditEntry
from tests.accounts.at_provider import (
    BACK,
    answer_of,
    is_in,
    make_known,
    sign_in,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("oidc_sign_in")]
CONFIRM, AGAIN = "/accounts/confirm/", "/accounts/confirm/provider/"


@pytest.fixture
def signed_in_at(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Say when the provider claims that one signed in there (auth_time); None: it does not say."""

    def say(moment: Any) -> None:
        monkeypatch.setattr(AuthorizationCode, "get_auth_time", lambda _code: moment)

    return say


@pytest.fixture
def stale(provider: str) -> Client:
    """Ann's browser, signed in by the provider, whose last proof is too old."""
    make_known(provider, "ann")
    browser = Client()
    sign_in(browser, "ann")
    session = browser.session
    session[PROVED_AT] = 0
    session.save()
    return browser


def _confirm(browser: Client, sub: str) -> Any:
    asked = browser.get(f"{AGAIN}?next=/cmdb/hosts/")["Location"]
    assert "prompt=login" in asked
    assert "max_age=0" in asked
    return browser.get(f"{BACK}?{answer_of(asked, sub)}")


def _protect(user: User) -> str:
    secret = second_factor.new_secret()
    SecondFactor.objects.create(
        user=user, secret=secret, confirmed_at="2026-01-01T00:00:00Z"
    )
    return secret


def test_a_fresh_sign_in_there_opens_the_way_back(
    stale: Client, signed_in_at: Any
) -> None:
    assert "Sign in again at your provider" in stale.get(CONFIRM).content.decode()
    signed_in_at(int(time.time()))
    assert _confirm(stale, "ann")["Location"] == "/cmdb/hosts/"
    assert stale.session[PROVED_AT] > 0


def test_somebody_else_there_proves_nothing(
    stale: Client, signed_in_at: Any, provider: str
) -> None:
    make_known(provider, "bob")
    signed_in_at(int(time.time()))
    assert _confirm(stale, "bob")["Location"] == CONFIRM
    assert stale.session[PROVED_AT] == 0
    assert AuditEntry.objects.filter(verb="session.confirm_refused").count() == 1


@pytest.mark.parametrize(
    "moment",
    [
        lambda: int(time.time()) - 3600,
        lambda: int(time.time()) + 3600,
        lambda: "now",
        lambda: True,
        lambda: float("inf"),
        lambda: 10**400,
        lambda: [1],
    ],
    ids=["old", "future", "words", "yes", "endless", "huge", "list"],
)
def test_a_provider_that_did_not_ask_anew_proves_nothing(
    stale: Client, signed_in_at: Any, moment: Any
) -> None:
    signed_in_at(moment())
    assert _confirm(stale, "ann")["Location"] == CONFIRM
    assert stale.session[PROVED_AT] == 0
    assert "did not ask you anew" in stale.get(CONFIRM).content.decode()


@pytest.mark.parametrize("told_elsewhere", [False, True])
def test_when_somebody_signed_in_there_stands_in_the_signed_token(
    stale: Client, monkeypatch: pytest.MonkeyPatch, told_elsewhere: bool
) -> None:
    real, fetch = oidc._believed, outbound.fetch

    def silent(*given: str) -> dict[str, Any]:
        claims = real(*given)
        assert claims["iat"] >= time.time() - 5
        del claims["auth_time"]
        return claims

    def told(method: str, url: str, **more: Any) -> outbound.Answer:
        answer = fetch(method, url, **more)
        if "userinfo" not in url:
            return answer
        more_claims = {"auth_time": int(time.time())} if told_elsewhere else {}
        body = json.loads(answer.body) | more_claims
        return outbound.Answer(answer.status, answer.headers, json.dumps(body).encode())

    monkeypatch.setattr(oidc, "_believed", silent)
    monkeypatch.setattr(outbound, "fetch", told)
    assert _confirm(stale, "ann")["Location"] == CONFIRM
    assert stale.session[PROVED_AT] == 0


def test_who_has_a_second_factor_confirms_by_its_code(
    stale: Client, signed_in_at: Any
) -> None:
    asked = stale.get(f"{AGAIN}?next=/cmdb/hosts/")["Location"]
    secret = _protect(User.objects.get())
    signed_in_at(int(time.time()))
    stale.get(f"{BACK}?{answer_of(asked, 'ann')}")
    assert stale.session[PROVED_AT] == 0
    page = stale.get(f"{CONFIRM}?next=/cmdb/hosts/").content.decode()
    assert "Sign in again at your provider" not in page
    answer = stale.get(f"{AGAIN}?next=/cmdb/hosts/")
    assert answer["Location"] == f"{CONFIRM}?next=%2Fcmdb%2Fhosts%2F"
    sent = {"code": pyotp.TOTP(secret).now(), "next": "/cmdb/hosts/"}
    assert stale.post(CONFIRM, sent)["Location"] == "/cmdb/hosts/"
    assert stale.session[PROVED_AT] > 0


def test_who_has_a_second_factor_gives_a_code_at_the_door_too(provider: str) -> None:
    make_known(provider, "tom")
    sign_in(Client(), "tom")
    _protect(User.objects.get())
    browser = Client()
    assert sign_in(browser, "tom")["Location"] == "/accounts/sign-in/code/"
    assert not is_in(browser)

"""What a browser does at the OpenID provider of the tests, and a hand that changes what the provider answers."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
import requests
from django.test import Client

from adminset import outbound

START, BACK = "/accounts/sign-in/provider/", "/accounts/sign-in/provider/back/"


def make_known(provider: str, sub: str, **claims: Any) -> None:
    """Make somebody known to the provider."""
    told = {"preferred_username": sub, "email": f"{sub}@example.com", **claims}
    requests.put(f"{provider}/users/{sub}", json=told, timeout=5).raise_for_status()


def answer_of(address: str, sub: str) -> str:
    """Sign in there as a browser does; give the query with which it sends one back."""
    answer = requests.post(address, data={"sub": sub}, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    place = urlsplit(answer.headers["Location"])
    assert place.path == BACK
    return place.query


def sign_in(browser: Client, sub: str, **more: str) -> Any:
    """Go to the provider and come back."""
    sent_away = browser.get(START, more)
    assert sent_away.status_code == 302
    return browser.get(f"{BACK}?{answer_of(sent_away['Location'], sub)}")


def is_in(browser: Client) -> bool:
    """Say whether the browser is signed in."""
    return browser.get("/accounts/me/").status_code == 200


def forge(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], Any]
) -> None:
    """Let the provider's token answer through a hand that changes the ID token."""
    real = outbound.fetch

    def fetch(method: str, url: str, **more: Any) -> outbound.Answer:
        answer = real(method, url, **more)
        if method != "POST":
            return answer
        body = json.loads(answer.body)
        body["id_token"] = change(body)
        return outbound.Answer(answer.status, answer.headers, json.dumps(body).encode())

    monkeypatch.setattr(outbound, "fetch", fetch)


def claims_in(body: dict[str, Any]) -> dict[str, Any]:
    """Read the ID token of a token answer without a look at its signature."""
    claims: dict[str, Any] = jwt.decode(
        body["id_token"], options={"verify_signature": False}
    )
    return claims

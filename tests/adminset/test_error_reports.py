"""Django's page of an error, which developers see and copy into tickets, shows no secret."""

import sys

from django.http import HttpRequest
from django.test import RequestFactory, override_settings
from django.views.debug import (
    get_default_exception_reporter_filter,
    technical_500_response,
)

from adminset import crypto
from adminset.crypto import Secret


def fails(words: str) -> None:
    raise ConnectionError(f"cannot sign in with {words}")


def test_the_page_of_an_error_while_developing_hides_secrets() -> None:
    opened = Secret(crypto.encrypt("marker <5ecret>", "x"), "x").reveal()
    request = RequestFactory().post(
        "/",
        {"passphrase": "form-5ecret", "note": "shown"},
        headers={
            "Authorization": "Bearer header-5ecret",
            "Cookie": "sessionid=cookie-5ecret",
        },
    )
    with override_settings(DEBUG=True, MONGO_URL="mongodb://u:url-5ecret@h/"):
        page = _error_page(request, opened)
    assert "ConnectionError" in page
    assert "shown" in page
    # One by one, because the page shows lines of this file as well.
    places = ("form", "header", "cookie", "url", "local")
    assert [place for place in places if f"{place}-5ecret" in page] == []
    assert "marker &lt;5ecret" not in page
    assert type(get_default_exception_reporter_filter()).__name__ == "ReportFilter"


def _error_page(request: HttpRequest, secret: str) -> str:
    # Put together, because the page shows lines of source as well.
    private_key = f"local-{5}ecret"
    nested = {"login": ["x", {"password": private_key}]}
    try:
        fails(secret)
    except ConnectionError:
        answer = technical_500_response(request, *sys.exc_info())
    assert private_key in str(nested)
    return answer.content.decode()

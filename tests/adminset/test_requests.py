"""What happens around every request: headers, addresses, refusals, errors in the asker's format."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory

from accounts.models import User
from adminset import body_limit
from adminset.context import current
from adminset.errors import Unavailable
from adminset.http import error_response, safe_next
from adminset.middleware import client_address, domain_errors
from tests.factories import make_user

ROOT = Path(__file__).resolve().parents[2]
Signed = Callable[[User], Client]


def test_pages_carry_the_safety_headers(client: Client) -> None:
    answer = client.get("/healthz")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert len(answer["X-Request-ID"]) == 32


def test_a_page_and_the_part_that_htmx_gets_of_it_are_kept_apart(
    client_of: Signed, admin: User
) -> None:
    visitor = client_of(admin)
    whole = visitor.get("/search/")
    part = visitor.get("/search/", headers={"HX-Request": "true"})
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert "HX-Request" in whole["Vary"]
    assert "HX-Request" in part["Vary"]


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example",
        "//evil.example",
        "javascript:alert(1)",
        "/\\evil.example",
        "http:///evil.example",
        "",
    ],
)
def test_a_redirect_leads_nowhere_else(rf: RequestFactory, wanted: str) -> None:
    assert safe_next(rf.post("/", {"next": wanted}), "/home/") == "/home/"


def test_a_redirect_to_ourselves_is_followed(rf: RequestFactory) -> None:
    assert (
        safe_next(rf.post("/", {"next": "/cmdb/hosts/?q=a"}), "/") == "/cmdb/hosts/?q=a"
    )


def _from(rf: RequestFactory, address: str, forwarded: str) -> HttpRequest:
    return rf.get("/", REMOTE_ADDR=address, HTTP_X_FORWARDED_FOR=forwarded)


def test_nobody_but_a_trusted_proxy_says_where_a_request_comes_from(
    rf: RequestFactory, settings: Any
) -> None:
    assert client_address(_from(rf, "203.0.113.9", "10.1.1.1")) == "203.0.113.9"
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    assert (
        client_address(_from(rf, "10.0.0.1", "198.51.100.7, 203.0.113.5"))
        == "203.0.113.5"
    )
    assert client_address(_from(rf, "10.0.0.1", "<script>")) == ""
    assert client_address(_from(rf, "10.0.0.1", "")) == "10.0.0.1"


def test_an_error_reads_the_same_in_json(rf: RequestFactory) -> None:
    answer = error_response(
        Unavailable("The store is away.", "Wait.", code="store", retry_after=7)
    )
    assert answer.status_code == 503
    assert answer["Retry-After"] == "7"
    assert b'"message": "The store is away."' in answer.content


@pytest.mark.django_db
def test_an_error_after_a_form_goes_back_to_our_own_page_only(
    client_of: Signed, admin: User
) -> None:
    client, address = client_of(admin), "/cmdb/hosts/bulk-delete/"
    ours = client.post(address, HTTP_REFERER="http://testserver/cmdb/hosts/")
    assert (ours.status_code, ours["Location"]) == (
        302,
        "http://testserver/cmdb/hosts/",
    )
    assert "Nothing is selected." in client.get("/cmdb/hosts/").content.decode()
    foreign = client.post(address, HTTP_REFERER="http://evil.example/")
    assert foreign.status_code == 422
    assert "Nothing is selected." in foreign.content.decode()


def test_another_exception_is_not_dressed_up_as_an_answer(rf: RequestFactory) -> None:
    handler = domain_errors(lambda request: None)  # type: ignore[arg-type, return-value]
    assert handler.process_exception(rf.get("/"), RuntimeError("boom")) is None  # type: ignore[attr-defined]


def test_the_request_is_known_below_and_forgotten_after(client: Client) -> None:
    client.get("/healthz")
    assert current.get().request_id == ""


@pytest.mark.django_db
def test_the_users_own_language_wins(client_of: Signed) -> None:
    user = make_user("zhang", is_superuser=True, language="zh-hans")
    page = (
        client_of(user).get("/cmdb/hosts/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    )
    assert 'lang="zh-hans"' in page.lower()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"), [("/no/such/page", 404), ("/accounts/users/", 403)]
)
def test_refusals_are_pages_for_people_and_envelopes_for_machines(
    client_of: Signed, stranger: User, path: str, status: int
) -> None:
    client = client_of(stranger)
    page, machine = client.get(path), client.get(path, HTTP_ACCEPT="application/json")
    assert page.status_code == machine.status_code == status
    assert "<html" in page.content.decode()
    assert set(machine.json()["error"]) == {"code", "message", "hint", "fields"}


@pytest.mark.django_db
def test_a_refusal_names_the_permission_that_is_missing(
    client_of: Signed, stranger: User
) -> None:
    assert (
        "accounts.view_user"
        in client_of(stranger).get("/accounts/users/").content.decode()
    )


def test_production_settings_leave_nothing_to_check(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": "/usr/bin:/bin",
            "ADMINSET_HTTPS": "1",
            "ADMINSET_DATA_DIR": str(tmp_path),
            "ALLOWED_HOSTS": "ops.example.com",
        },
    )
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


# -- bodies that are too large


def _ask(
    path: str, chunks: list[bytes], announced: int | None = None
) -> tuple[int, bool]:
    """Send chunks through the guard; give the status and whether the application saw the end of the body."""
    seen: list[bool] = []
    statuses: list[int] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        seen.append(True)
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> dict[str, Any]:
        body = chunks.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = (
        [] if announced is None else [(b"content-length", str(announced).encode())]
    )
    scope = {"type": "http", "path": path, "headers": headers}
    asyncio.run(body_limit.bounded(application)(scope, receive, send))
    return statuses[0], bool(seen)


AGENTS = "/api/agent/v1/metrics"


def test_a_body_that_announces_too_much_is_refused_unread() -> None:
    assert _ask(AGENTS, [b"x"], announced=10 * 2**20) == (413, False)


def test_a_body_that_does_not_say_its_length_is_counted() -> None:
    assert _ask(AGENTS, [b"x" * 2**19] * 4) == (413, False)


def test_a_small_body_passes() -> None:
    assert _ask(AGENTS, [b"x" * 1000, b"y"], announced=1001) == (200, True)


def test_pages_take_larger_bodies_than_agents() -> None:
    assert _ask("/cmdb/hosts/import/", [b"x" * 2**19] * 4) == (200, True)

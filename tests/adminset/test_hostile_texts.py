"""Half characters, broken addresses, endless numbers and secrets in a filter: refused in words or masked, never a 500."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from accounts.models import Role, User
from adminset import body_limit
from adminset.models import AuditEntry
from cmdb.models import Credential
from monitor.body import BadBodyError, Limits
from monitor.intake import parse_enrolment, parse_facts, parse_metrics
from tests.factories import make_host

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
HALF = "a\ud800b"


def _body(**values: Any) -> bytes:
    return json.dumps(values).encode()


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("users", {"username": "ann", "display_name": HALF}),
        ("users", {"username": "ann", "password": f"a long enough one {HALF}"}),
        ("roles", {"name": HALF}),
        ("roles", {"name": "x", "permissions": [HALF]}),
        ("roles", {"name": "x", HALF: 1}),
        ("hosts", {"hostname": "h", "owner": HALF}),
        ("hosts", {"hostname": "h", "groups": [[{"x": HALF}]]}),
        ("credentials", {"name": "c", "username": "root", "password": HALF}),
        ("grants", {"user": HALF, "role": HALF}),
    ],
)
def test_half_a_character_in_json_is_refused_in_words(
    client_of: Signed, admin: User, path: str, values: dict[str, Any]
) -> None:
    before = (User.objects.count(), Role.objects.count(), AuditEntry.objects.count())
    answer = client_of(admin).post(
        f"/api/v1/{path}/", _body(**values), content_type="application/json"
    )
    assert answer.status_code == 422
    assert "not valid Unicode" in answer.json()["error"]["message"]
    assert not Credential.objects.exists()
    after = (User.objects.count(), Role.objects.count(), AuditEntry.objects.count())
    assert after == before


def test_the_field_is_named(client_of: Signed, admin: User) -> None:
    host = make_host("kept")
    answer = client_of(admin).patch(
        f"/api/v1/hosts/{host.pk}/", _body(owner=HALF), content_type="application/json"
    )
    assert list(answer.json()["error"]["fields"]) == ["owner"]


def test_whole_characters_of_any_kind_pass(client_of: Signed, admin: User) -> None:
    host = make_host("kept")
    answer = client_of(admin).patch(
        f"/api/v1/hosts/{host.pk}/",
        b'{"owner": "\\ud83d\\ude00 \xe5\xae\x89"}',
        content_type="application/json",
    )
    assert answer.status_code == 200
    host.refresh_from_db()
    assert host.owner == "\U0001f600 安"


@pytest.mark.parametrize("parse", [parse_enrolment, parse_facts, parse_metrics])
def test_agents_are_told_likewise(parse: Callable[..., Any]) -> None:
    facts = {"hostname": HALF, HALF: 1}
    body = _body(sent_at=1, facts=facts, identity={"machine_id": HALF}, samples=[])
    with pytest.raises(BadBodyError) as refused:
        parse(body, Limits(), 1.0)
    assert refused.value.status == 400


@pytest.mark.parametrize("address", ["http://[", "http://[::1", "//[x]y", HALF])
def test_a_report_with_a_broken_address_is_answered_like_others(
    client: Client, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    report = {"document-uri": address, "blocked-uri": address}
    with caplog.at_level(logging.WARNING, "adminset.csp"):
        answer = client.post(
            "/csp-report/",
            _body(**{"csp-report": report}),
            content_type="application/csp-report",
        )
    assert answer.status_code == 204
    assert len([r for r in caplog.records if r.name == "adminset.csp"]) == 1


@pytest.mark.parametrize("length", ["9" * 5000, "x", "-1", ""])
def test_a_length_that_is_none_stops_no_page(client: Client, length: str) -> None:
    for path in ("/csp-report/", "/api/agent/v1/metrics"):
        answer = client.post(
            path, b"{}", content_type="application/json", CONTENT_LENGTH=length
        )
        assert answer.status_code < 500


@pytest.mark.parametrize(
    ("announced", "status"),
    [
        (b"9" * 5000, 413),
        (b"0" * 5000 + b"1", 200),
        (b"9" * 20, 413),
        (b"-1", 200),
        (b"\xb2", 200),
    ],
)
def test_a_length_of_any_length_is_understood(announced: bytes, status: int) -> None:
    statuses = []

    async def application(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "path": "/cmdb/hosts/",
        "headers": [(b"content-length", announced)],
    }
    async_to_sync(body_limit.bounded(application))(scope, receive, send)
    assert statuses == [status]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"q": "password=hunter2x"}, "q=password%3D••••"),
        ({"q": "redis://:hunter2x@db"}, "q=redis%3A%2F%2F%3A••••%40db"),
        ({"q": "Bearer hunter2xhunter2x"}, "q=Bearer+••••"),
        ({"q": "web & db"}, "q=web+%26+db"),
    ],
)
def test_what_an_export_was_filtered_by_is_told_without_secrets(
    client_of: Signed, admin: User, query: dict[str, str], shown: str
) -> None:
    answer = client_of(admin).get("/cmdb/hosts/", {**query, "export": "csv"})
    assert answer.status_code == 200
    line = AuditEntry.objects.get(verb="host.export")
    told = {change["field"]: change["new"] for change in line.changes}
    assert told["filter"] == shown
    assert "hunter2x" not in str(list(AuditEntry.objects.values()))

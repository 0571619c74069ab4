"""What requests may carry, what browsers tell us of the policy, and settings that make no sense."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from adminset.crud.parsing import depth_of
from tests.factories import make_user

ROOT = Path(__file__).resolve().parents[2]
VIOLATION = {
    "document-uri": "http://testserver/cmdb/hosts/?q=hush",
    "effective-directive": "script-src-elem",
    "blocked-uri": "https://evil.example/x.js?word=hush",
}


def _report(client: Client, body: Any) -> int:
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = client.post("/csp-report/", sent, content_type="application/csp-report")
    return answer.status_code


def test_the_policy_names_where_to_report(client: Client) -> None:
    policy = client.get("/healthz")["Content-Security-Policy"]
    assert "report-uri /csp-report/" in policy


@pytest.mark.parametrize(
    "body",
    [
        {"csp-report": VIOLATION},
        [{"type": "csp-violation", "body": {"documentURL": "http://x/cmdb/hosts/?q=hush",
          "effectiveDirective": "script-src-elem", "blockedURL": "https://evil.example/?a=hush"}}],
    ],
)  # fmt: skip
def test_a_report_becomes_one_line_without_queries(
    client: Client, caplog: pytest.LogCaptureFixture, body: Any
) -> None:
    with caplog.at_level(logging.WARNING, "adminset.csp"):
        assert _report(client, body) == 204
    (line,) = [r.getMessage() for r in caplog.records if r.name == "adminset.csp"]
    assert "script-src-elem" in line
    assert "'/cmdb/hosts/'" in line
    assert "'evil.example'" in line
    assert "hush" not in line


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 15000, b"[1, null]", b'{"csp-report": 3}', b"\xff\xfe"]
)
def test_a_report_that_is_none_is_answered_alike_and_not_logged(
    client: Client, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    with caplog.at_level(logging.WARNING, "adminset.csp"):
        assert _report(client, body) == 204
    assert [r for r in caplog.records if r.name == "adminset.csp"] == []


def test_a_flood_of_reports_does_not_fill_the_log(
    client: Client, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.CSP_REPORTS_PER_MINUTE = 3
    with caplog.at_level(logging.WARNING, "adminset.csp"):
        for _again in range(10):
            _report(client, {"csp-report": VIOLATION})
    assert len([r for r in caplog.records if r.name == "adminset.csp"]) == 3


def test_a_report_cannot_break_a_log_line(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    hostile = {"csp-report": VIOLATION | {"effective-directive": "a\nlevel=INFO b"}}
    with caplog.at_level(logging.WARNING, "adminset.csp"):
        _report(client, hostile)
    assert "\n" not in caplog.records[-1].getMessage()


@pytest.mark.parametrize(
    ("value", "levels"), [(1, 0), ([], 1), ({"a": [1]}, 2), ([[[[]]]], 4)]
)
def test_depth_counts_containers(value: Any, levels: int) -> None:
    assert depth_of(value, 10) == levels


@pytest.mark.django_db
@pytest.mark.parametrize("depth", [40, 100_000])
def test_json_nested_too_deep_is_refused(admin: User, depth: int) -> None:
    client = Client()
    client.force_login(admin)
    body = b'{"name": ' + b"[" * depth + b"]" * depth + b"}"
    answer = client.post("/api/v1/host-groups/", body, content_type="application/json")
    assert answer.status_code == 400
    assert "nested deeper" in answer.json()["error"]["message"]


@pytest.mark.django_db
def test_a_cookie_alone_changes_nothing_through_the_api() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user(is_superuser=True))
    answer = client.post(
        "/api/v1/host-groups/", {"name": "x"}, content_type="application/json"
    )
    assert answer.status_code == 403


def _check(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_network_that_is_none_stops_the_start_with_a_sentence(
    tmp_path: Path,
) -> None:
    done = _check(
        ADMINSET_DATA_DIR=str(tmp_path), ADMINSET_ALLOWED_NETWORKS="10.0.0.1/8"
    )
    assert done.returncode != 0
    assert "ADMINSET_ALLOWED_NETWORKS is '10.0.0.1/8'" in done.stderr

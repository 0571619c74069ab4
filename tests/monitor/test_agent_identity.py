"""Where agents report, about who they are: a new secret, a copy of a credential, a report that comes twice."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from cmdb.models import Agent, Host
from cmdb.services import agents
from monitor.store import MetricStore
from tests.monitor.conftest import IDENTITY, Reporter, busy_lines

Batch = Callable[..., dict[str, Any]]


def _facts(reporter: Reporter, boot: str = "b1", **more: Any) -> Any:
    body = {
        "boot_id": boot,
        "sent_at": time.time(),
        "identity": IDENTITY,
        "facts": {"hostname": "web1", "kernel": "6.1"},
    }
    return reporter.post("facts", body | more)


def test_an_agent_gets_a_new_secret_and_the_old_one_ends_at_its_first_use(
    reporter: Reporter, batch: Batch
) -> None:
    answer = reporter.post("rotate", {"boot_id": "b1"})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    new = f"{body['agent_id']}.{body['secret']}"
    assert reporter.post("metrics", batch(1)).status_code == 200
    again = reporter.post("metrics", batch(1, first_seq=2), token=new)
    assert again.status_code == 200
    assert reporter.post("metrics", batch(1, first_seq=3)).status_code == 403


@pytest.mark.parametrize("body", [b"{{{", {"boot_id": 5}, []])
def test_a_rotation_that_makes_no_sense_gives_no_secret(
    reporter: Reporter, body: Any
) -> None:
    assert reporter.post("rotate", body).status_code in {400, 422}
    assert Agent.objects.get().next_secret_hash == ""


def test_a_rotation_needs_the_secret(reporter: Reporter) -> None:
    agent_id = reporter.token.partition(".")[0]
    assert reporter.post("rotate", {}, token=f"{agent_id}.x").status_code == 403
    assert reporter.post("rotate", {}, token="").status_code == 401


def test_a_copy_of_a_credential_stores_nothing_and_is_told_to_enrol_again(
    reporter: Reporter,
    measurements: MetricStore,
    batch: Batch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for boot in ("b1", "b2", "b1"):
            assert _facts(reporter, boot).status_code == 200
        assert _facts(reporter, "b2").status_code == 409
    refused = reporter.post("metrics", batch(1, boot_id="b2"))
    assert refused.status_code == 409
    told = refused.json()["error"]
    assert told["code"] == "cloned_credential"
    assert "re-enrol" in told["hint"]
    assert busy_lines(measurements, reporter.host.pk) == []
    assert reporter.post("metrics", batch(1, boot_id="b1")).status_code == 200
    assert _facts(reporter, "b2").status_code == 409


def test_a_copy_is_seen_by_other_processes_within_five_seconds(
    reporter: Reporter, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reporter.post("metrics", batch(1, boot_id="b2")).status_code == 200
    Agent.objects.update(boots={"refused": ["b2"]})
    later = time.monotonic() + 5.01
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert reporter.post("metrics", batch(1, boot_id="b2")).status_code == 409


def test_a_report_that_is_replayed_changes_nothing(reporter: Reporter) -> None:
    old: dict[str, Any] = {"sent_at": time.time() - 60, "seq": 1}
    assert _facts(reporter, **old).json()["status"] == "changed"
    newer: dict[str, Any] = {"sent_at": time.time(), "seq": 2}
    changed: dict[str, Any] = {"facts": {"hostname": "web1", "kernel": "6.2"}}
    assert _facts(reporter, **newer, **changed).json()["status"] == "changed"
    assert _facts(reporter, **old).json()["status"] == "stale"
    assert Host.objects.get().kernel == "6.2"


@pytest.mark.parametrize("seq", ["x", -1, 2**60, 1.5])
def test_a_count_that_is_none_is_refused(reporter: Reporter, seq: Any) -> None:
    assert _facts(reporter, seq=seq).status_code == 422


def test_a_year_off_is_refused_and_moves_nothing(reporter: Reporter) -> None:
    agents.forget_recent()
    before = Agent.objects.values().get()
    answer = _facts(reporter, sent_at=time.time() + 365 * 86400)
    assert answer.json()["error"]["code"] == "clock_skew"
    assert Agent.objects.values().get() == before

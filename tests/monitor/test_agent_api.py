"""Where agents report: what is stored, what is refused and in which words, and that a refusal leaves nothing behind."""

import gzip
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from adminset.models import AuditEntry
from cmdb.models import Agent, Host
from cmdb.services import agents
from monitor import metric_store
from monitor.store import MetricStore
from tests.factories import make_user
from tests.monitor.conftest import IDENTITY, Reporter, busy_lines, enrolment_token

Batch = Callable[..., dict[str, Any]]
SEEDS_WORDS = "Post forbidden, your token error!!"


def error_of(answer: Any) -> dict[str, Any]:
    """Give the envelope of a refusal."""
    return answer.json()["error"]


def test_an_enrolment_gives_an_id_and_a_secret_that_is_kept_as_a_hash(
    reporter: Reporter,
) -> None:
    agent = Agent.objects.get()
    secret = reporter.token.partition(".")[2]
    assert agent.host == reporter.host
    assert reporter.host.hostname == "web1"
    assert secret not in json.dumps(
        list(Agent.objects.values_list("secret_hash", "identity"))
    )
    assert AuditEntry.objects.filter(actor_kind__in=["agent", "system"]).exists()


def test_an_enrolment_token_is_good_once(reporter: Reporter, client: Any) -> None:
    token = enrolment_token(make_user(is_superuser=True))
    body = {
        "identity": IDENTITY | {"machine_id": "cd" * 32},
        "boot_id": "b",
        "sent_at": time.time(),
        "facts": {},
    }
    other = Reporter(client, token, Host())
    assert other.post("enroll", body).status_code == 201
    again = other.post("enroll", body | {"identity": {"machine_id": "ef" * 32}})
    assert again.status_code == 401
    assert Agent.objects.count() == 2


def test_samples_are_stored_and_answered_one_by_one(
    reporter: Reporter, measurements: MetricStore, batch: Batch
) -> None:
    answer = reporter.post("metrics", batch(4))
    assert answer.status_code == 200
    assert [(r["seq"], r["status"]) for r in answer.json()["results"]] == [
        (n, "stored") for n in (1, 2, 3, 4)
    ]
    assert answer.json()["settings"]["sample_seconds"] == 15
    assert busy_lines(measurements, reporter.host.pk) == [10.0, 11.0, 12.0, 13.0]


def test_the_same_batch_twice_changes_nothing(
    reporter: Reporter, measurements: MetricStore, batch: Batch
) -> None:
    body = batch(3)
    reporter.post("metrics", body)
    again = reporter.post("metrics", body)
    assert [r["status"] for r in again.json()["results"]] == ["duplicate"] * 3
    assert len(busy_lines(measurements, reporter.host.pk)) == 3


def test_a_compressed_batch_is_as_good(
    reporter: Reporter, measurements: MetricStore, batch: Batch
) -> None:
    assert (
        reporter.post_gzip("metrics", json.dumps(batch(2)).encode()).status_code == 200
    )
    assert len(busy_lines(measurements, reporter.host.pk)) == 2


def test_a_report_costs_no_query_once_the_agent_is_known(
    reporter: Reporter, batch: Batch, django_assert_num_queries: Any
) -> None:
    reporter.post("metrics", batch(1))
    with django_assert_num_queries(0):
        assert reporter.post("metrics", batch(1, first_seq=2)).status_code == 200


def test_facts_reach_the_host(reporter: Reporter) -> None:
    body = {
        "boot_id": "b1",
        "sent_at": time.time(),
        "identity": IDENTITY,
        "facts": {
            "hostname": "web1",
            "cpu_threads": 8,
            "memory_bytes": 16 * 2**30,
            "os_name": "Debian GNU/Linux",
        },
    }
    assert reporter.post("facts", body).json()["status"] == "changed"
    assert reporter.post("facts", body).json()["status"] == "unchanged"
    host = Host.objects.get(pk=reporter.host.pk)
    assert (host.cpu_threads, host.memory_bytes, host.os_name) == (
        8,
        16 * 2**30,
        "Debian GNU/Linux",
    )


REFUSALS: list[tuple[str, Any, int]] = [
    ("not json", b"{{{", 400),
    ("an empty body", b"", 400),
    ("a list", [], 422),
    ("no samples", {"boot_id": "b", "sent_at": 0}, 422),
    ("samples of the wrong type", {"samples": "many"}, 422),
    (
        "a sequence number in words",
        {"samples": [{"seq": "one", "time": 0, "values": {}}]},
        422,
    ),
    (
        "a value in words",
        {"samples": [{"seq": 1, "time": 0, "values": {"cpu.busy_percent": "high"}}]},
        422,
    ),
    (
        "NaN",
        b'{"boot_id":"b","sent_at":%d,"samples":[{"seq":1,"time":%d,"values":{"cpu.busy_percent":NaN}}]}',
        400,
    ),
    (
        "a number below nought",
        {"samples": [{"seq": -1, "time": 0, "values": {"load.1": 1}}]},
        422,
    ),
    ("deep nesting", b"[" * 100_000 + b"]" * 100_000, 400),
    ("ten megabytes", b'{"a":"' + b"x" * (10 * 2**20) + b'"}', 413),
    ("a clock a year ahead", {"clock": 365 * 86400}, 422),
    ("a clock a year behind", {"clock": -365 * 86400}, 422),
]


@pytest.mark.parametrize(
    ("what", "body", "status"), REFUSALS, ids=[r[0] for r in REFUSALS]
)
def test_bad_reports_are_refused_with_a_sentence_and_store_nothing(
    reporter: Reporter,
    measurements: MetricStore,
    caplog: Any,
    what: str,
    body: Any,
    status: int,
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = reporter.post("metrics", _filled(body))
    assert answer.status_code in {status, 422 if status == 400 else status}, (
        answer.content[:300]
    )
    assert error_of(answer)["message"].endswith(".")
    assert busy_lines(measurements, reporter.host.pk) == []
    assert reporter.token.partition(".")[2] not in caplog.text


def test_a_value_under_no_metrics_name_costs_no_other(
    reporter: Reporter, measurements: MetricStore, batch: Callable[..., dict[str, Any]]
) -> None:
    body = batch(2)
    body["samples"][0]["values"] |= {"../../etc": 1, "fs.used_bytes|/\U0001fae9\x00": 1}
    answer = reporter.post("metrics", body).json()
    assert [each["status"] for each in answer["results"]] == ["stored", "stored"]
    assert answer["left_out"] == {"names": 2}
    assert len(busy_lines(measurements, reporter.host.pk)) == 2


def _filled(body: Any) -> Any:
    now = time.time()
    if isinstance(body, bytes):
        return body % (now, now) if b"%d" in body else body
    if isinstance(body, list):
        return body
    filled = {
        "boot_id": "b",
        "sent_at": now + body.get("clock", 0),
        "samples": [],
    } | body
    filled.pop("clock", None)
    if isinstance(filled.get("samples"), list):
        for sample in filled["samples"]:
            sample["time"] = now
    return filled


def test_a_clock_that_is_off_is_named_so_that_the_agent_keeps_its_samples(
    reporter: Reporter, batch: Batch
) -> None:
    answer = reporter.post("metrics", batch(1, sent_at=time.time() + 366 * 86400))
    assert error_of(answer)["code"] == "clock_skew"


def test_unknown_fields_are_ignored_for_newer_agents(
    reporter: Reporter, batch: Batch
) -> None:
    assert reporter.post("metrics", batch(1, mood="fine")).status_code == 200


def test_one_impossible_sample_does_not_cost_the_others(
    reporter: Reporter, measurements: MetricStore, batch: Batch
) -> None:
    body = batch(2)
    body["samples"][0]["time"] = time.time() - 30 * 86400
    results = reporter.post("metrics", body).json()["results"]
    assert [r["status"] for r in results] == ["refused", "stored"]
    assert results[0]["message"]
    assert len(busy_lines(measurements, reporter.host.pk)) == 1


@pytest.mark.parametrize("path", ["enroll", "facts", "metrics"])
def test_no_token_is_401(reporter: Reporter, path: str) -> None:
    answer = reporter.post(path, {}, token="")
    assert answer.status_code == 401
    assert error_of(answer)["code"] == "no_token"


@pytest.mark.parametrize("path", ["facts", "metrics"])
def test_a_wrong_secret_is_403_in_the_words_of_the_seeds(
    reporter: Reporter, batch: Batch, path: str
) -> None:
    agent_id = reporter.token.partition(".")[0]
    answer = reporter.post(path, batch(1), token=f"{agent_id}.wrong")
    assert answer.status_code == 403
    assert error_of(answer)["message"] == SEEDS_WORDS


@pytest.mark.parametrize("path", ["enroll", "facts", "metrics"])
def test_an_unknown_token_is_401(reporter: Reporter, path: str) -> None:
    assert reporter.post(path, {}, token="0" * 32 + ".x").status_code == 401


def test_a_revoked_agent_is_refused(
    reporter: Reporter, batch: Batch, admin: Any
) -> None:
    agents.revoke(actor=admin, agent=Agent.objects.get())
    agents.forget_recent()
    assert reporter.post("metrics", batch(1)).status_code == 401


def test_a_gzip_bomb_is_413(reporter: Reporter, measurements: MetricStore) -> None:
    bomb = gzip.compress(b"0" * (64 * 2**20))
    answer = reporter.post("metrics", bomb, HTTP_CONTENT_ENCODING="gzip")
    assert answer.status_code == 413
    assert busy_lines(measurements, reporter.host.pk) == []


def test_an_unknown_encoding_is_refused(reporter: Reporter, batch: Batch) -> None:
    answer = reporter.post(
        "metrics", json.dumps(batch(1)).encode(), HTTP_CONTENT_ENCODING="br"
    )
    assert answer.status_code in {400, 415}


def test_agents_only_post(reporter: Reporter, client: Any) -> None:
    assert client.get("/api/agent/v1/metrics").status_code == 405


def test_a_store_that_is_away_is_503_and_says_when_to_come_back(
    reporter: Reporter, batch: Batch, settings: Any, mongo_away: None
) -> None:
    answer = reporter.post("metrics", batch(1))
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0
    assert error_of(answer)["code"] == "store_unavailable"


@pytest.fixture
def mongo_away(
    reporter: Reporter, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store cannot be reached."""
    metric_store.store().close()
    settings.MONGO_URL = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200"
    metric_store.store.cache_clear()

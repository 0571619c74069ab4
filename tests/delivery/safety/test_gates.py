"""The gate of a canary: what is compared, what is no good sign, and what the real store has of agents and of remote write."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from delivery.models import Pipeline
from delivery.safety import gates
from monitor.prometheus import metric_names, places_of_samples
from monitor.prometheus.series_book import BOOK
from monitor.store import MetricStore
from tests.delivery.engine.test_deploy_watch import seconds_pass, watching
from tests.delivery.safety.safety_things import Paper
from tests.factories import make_user
from tests.monitor.conftest import Reporter, reporter  # noqa: F401 - a fixture
from tests.monitor.prometheus_sender import bearer, body_of, named, token_of, write

RATE = {"gate_metric": "http_errors_total", "gate_measure": "rate", "gate_limit": 0.5}
RATIO = RATE | {"gate_divisor": "custom.http_requests_total", "gate_limit": 0.05}
VALUE = {"gate_metric": "queue_length", "gate_limit": 5.0}
# host -> values of its series, by metric as queries name it.
Sent = dict[str, dict[int, list[float]]]


def judge(
    way: dict[str, Any], ids: list[int], *, is_over: bool = True, seconds: int = 62
) -> str:
    """Judge the time until now."""
    now = time.time()
    since, until = (datetime.fromtimestamp(at, UTC) for at in (now - seconds, now))
    frozen = Pipeline(**way).frozen()
    return gates.judge_gate(frozen, ids, since, until, is_over=is_over)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What hosts sent, without a store."""
    said: Sent = {}

    def over_time(_function: str, ids: Any, metric: str, *_span: float) -> Any:
        return {pk: v for pk, v in said.get(metric, {}).items() if pk in ids}

    monkeypatch.setattr(gates, "over_time", over_time)
    return said


def test_series_of_a_counter_add_up_and_of_a_value_the_worst_counts(sent: Sent) -> None:
    sent["http_errors_total"] = {1: [0.25, 0.5]}
    words = judge(RATE, [1])
    assert words == (
        "increase of http_errors_total per second is 0.75, and the limit is 0.5."
    )
    sent["queue_length"] = {1: [4.0, 6.0]}
    assert judge(VALUE, [1]) == "queue_length is 6, and the limit is 5."
    assert judge(VALUE | {"gate_comparison": "below"}, [1]).startswith(
        "queue_length is 4"
    )
    sent["queue_length"] = {1: [math.nan]}
    assert "queue_length is nan" in judge(VALUE, [1])


def test_errors_are_judged_by_request_and_without_requests_there_is_nothing_to_judge(
    sent: Sent,
) -> None:
    sent["http_errors_total"] = {1: [2.0], 2: [0.0]}
    sent["http_requests_total"] = {1: [90.0, 10.0], 2: [0.0]}
    assert judge(RATIO, [1]) == ""
    assert judge(RATIO, [1, 2], is_over=False) == ""
    assert "was 0 on 1 of 2 hosts" in judge(RATIO, [1, 2])
    sent["http_errors_total"][1] = [6.0]
    words = judge(RATIO, [1, 2], is_over=False)
    assert "per increase of custom.http_requests_total is 0.06" in words


@pytest.mark.parametrize("metric", ["http_errors_total", "http_requests_total"])
def test_what_nobody_sent_never_lets_a_release_pass(sent: Sent, metric: str) -> None:
    sent["http_errors_total"] = {1: [0.0], 2: [0.0]}
    sent["http_requests_total"] = {1: [9.0], 2: [9.0]}
    del sent[metric][2]
    assert judge(RATIO, [1, 2], is_over=False) == ""
    words = judge(RATIO, [1, 2])
    assert words.startswith("Not all hosts sent ")
    assert metric in words
    del sent[metric]
    assert judge(RATIO, [1, 2]).startswith("No host sent ")


def test_a_way_that_was_frozen_before_there_was_a_choice_compares_the_value(
    sent: Sent,
) -> None:
    sent["app.errors"] = {1: [1.0]}
    way = {"gate_metric": "app.errors", "gate_limit": 0.5, "gate_comparison": "above"}
    now = datetime.now(UTC)
    words = gates.judge_gate(way, [1], now, now, is_over=False)
    assert words == "app.errors is 1, and the limit is 0.5."


@pytest.fixture
def scrape(measurements: MetricStore, db: None) -> Callable[..., None]:
    """A Prometheus that writes what it scraped of a host each ten seconds until now."""
    BOOK.forget()
    places_of_samples.forget()
    metric_names.forget()
    header = bearer(token_of(make_user("prometheus", is_superuser=True)))

    def send(host: str, name: str, *values: float, ago: int = 0, **labels: str) -> None:
        last = int(time.time()) - ago
        moments = range(last - 10 * (len(values) - 1), last + 1, 10)
        samples = list(zip(map(float, moments), values, strict=True))
        sent = body_of([(named(name, f"{host}:9100", **labels), samples)])
        assert write(sent, header).status_code == 204

    return send


def test_what_a_prometheus_wrote_lets_a_canary_pass_and_holds_it_when_errors_rise(
    paper: Paper, scrape: Callable[..., None]
) -> None:
    step = watching(paper, canary_watch_seconds=3600, **RATIO)
    host = paper.hosts[0].hostname
    scrape(host, "http_requests_total", *range(0, 1200, 200))
    # The application began anew: no fall, and no rise of hundreds.
    scrape(host, "http_errors_total", 900, 901, 0, 1, 2, 3, code="500")
    seconds_pass(step, 60)
    assert (step.status, step.explanation) == ("running", "")
    seconds_pass(step, 3600)
    assert (step.status, step.explanation) == ("ok", "")


def test_errors_that_rise_in_the_real_store_end_the_watch_at_once(
    paper: Paper, scrape: Callable[..., None]
) -> None:
    step = watching(paper, canary_watch_seconds=3600, **RATIO)
    host = paper.hosts[0].hostname
    scrape(host, "http_requests_total", *range(0, 1200, 200))
    scrape(host, "http_errors_total", *range(0, 60, 10), code="500")
    scrape(host, "http_errors_total", *range(0, 60, 10), code="502")
    seconds_pass(step, 60)
    assert step.status == "failed"
    assert re.search(r"total is 0\.(1|09+\d), and the limit is 0.05", step.explanation)


def test_a_host_that_sends_no_more_is_silent_at_the_end(
    paper: Paper, scrape: Callable[..., None]
) -> None:
    host = paper.hosts[0]
    scrape(host.hostname, "queue_length", 1, 2, 3, ago=330)
    assert judge(VALUE, [host.pk], seconds=600, is_over=False) == ""
    words = judge(VALUE, [host.pk], seconds=600)
    assert words == "No host sent queue_length until the end."
    scrape(host.hostname, "queue_length", 4)
    assert judge(VALUE, [host.pk], seconds=600) == ""


def test_what_an_agent_reports_is_judged_by_both_of_its_names(
    reporter: Reporter,  # noqa: F811
) -> None:
    now = time.time()
    values = [{"custom.http_errors_total": 30.0 * n, "load.1": 0.5} for n in range(5)]
    samples = [
        {"seq": n + 1, "time": now - 60 + 15 * n, "values": one}
        for n, one in enumerate(values)
    ]
    body = {"boot_id": "b1", "sent_at": now, "samples": samples}
    assert reporter.post("metrics", body).status_code == 200
    ids = [reporter.host.pk]
    for name in ("http_errors_total", "custom.http_errors_total"):
        way = RATE | {"gate_metric": name}
        assert "the limit is 1.8" in judge(way | {"gate_limit": 1.8}, ids)
        assert judge(way | {"gate_limit": 2.1}, ids) == ""
    assert judge({"gate_metric": "load.1", "gate_limit": 0.4}, ids) == (
        "load.1 is 0.5, and the limit is 0.4."
    )
    words = judge(RATE | {"gate_metric": "app.errors.rate"}, ids)
    assert words.startswith("No host sent app.errors.rate")
    # What they do send not each reader of a deploy may know.
    assert "http_errors_total" not in words


def test_a_host_that_falls_silent_in_a_short_watch_is_silent_at_its_end(
    paper: Paper, scrape: Callable[..., None]
) -> None:
    host = paper.hosts[0]
    scrape(host.hostname, "queue_length", 1, 1, ago=240)
    words = judge(VALUE, [host.pk], seconds=300)
    assert words == "No host sent queue_length until the end."


def test_where_no_host_of_the_canary_is_left_nothing_was_watched() -> None:
    assert judge(VALUE, [], is_over=False) == ""
    assert judge(VALUE, []) == "No host of the canary is left to be watched."


def test_a_gate_of_a_former_version_may_name_one_disk(
    paper: Paper, scrape: Callable[..., None]
) -> None:
    host = paper.hosts[0]
    scrape(host.hostname, "queue_length", 9)
    assert "the limit is" in judge(VALUE | {"gate_metric": "queue_length|a"}, [host.pk])

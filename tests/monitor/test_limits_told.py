"""What the store's limits left out is told: to agents and to Prometheus in a sentence, at /metrics as numbers."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import User
from cmdb.models import HostGroup
from monitor.prometheus import metric_names, own_metrics, places_of_samples
from monitor.prometheus.counters import REGISTRY
from monitor.prometheus.series_book import BOOK
from monitor.settings_checks import check_retention
from monitor.store import MetricStore
from monitor.writing import Writer
from tests.factories import make_host, make_user
from tests.monitor.conftest import Reporter
from tests.monitor.prometheus_sender import (
    Series,
    bearer,
    body_of,
    named,
    token_of,
    write,
)

Batch = Callable[..., dict[str, Any]]


def limit(store: MetricStore, **options: Any) -> None:
    """Give a store other limits."""
    store.options = replace(store.options, **options)
    store._writer = Writer(store._shapes, store._clock, store.options)


def counted(result: str) -> float:
    labels = {"result": result}
    return REGISTRY.get_sample_value("adminset_agent_samples_total", labels) or 0.0


@pytest.fixture
def writer(group: HostGroup) -> User:
    BOOK.forget()
    places_of_samples.forget()
    metric_names.forget()
    make_host("web1", groups=[group], address="10.9.0.1")
    return make_user("writer", perms=["monitor.write_metrics"], groups=[group])


def test_an_agent_is_told_which_samples_are_not_kept(
    measurements: MetricStore, reporter: Reporter, batch: Batch
) -> None:
    limit(measurements, custom_series=2, hour_samples=lambda _host: 3)
    body = batch(5)
    for n, sample in enumerate(body["samples"]):
        sample["time"] = body["sent_at"] - 1 + n / 10
        sample["values"] = {f"custom.x|n={n}": 1.0}
    before = counted("left_out")
    results = reporter.post("metrics", body).json()["results"]
    assert [each["status"] for each in results] == [*["stored"] * 2, *["refused"] * 3]
    told = [each["message"] for each in results[2:]]
    assert "too many series" in told[0]
    assert "too many samples in this hour" in told[1]
    assert told[1] == told[2]
    now = time.time()
    kept = measurements.samples_of(reporter.host.pk, now - 60, now + 60)
    assert len(kept) == 2
    assert counted("left_out") - before in (0, 1)


@pytest.mark.django_db
def test_prometheus_is_told_of_series_that_the_store_has_no_room_for(
    measurements: MetricStore, writer: User
) -> None:
    limit(measurements, custom_series=1)
    headers = bearer(token_of(writer))
    now = round(time.time())
    # All of one metric lie in one lane.
    sent: list[Series] = [(named("m", code=str(n)), [(now, 1.0)]) for n in range(4)]
    for _again in (1, 2):
        answer = write(body_of(sent), headers)
        assert answer.status_code == 400
        assert "3 samples are of new series" in answer.json()["error"]["message"]


@pytest.mark.django_db
def test_metrics_say_how_many_hours_cannot_be_rolled_up(
    measurements: MetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    measurements.ensure_indexes()
    monkeypatch.setattr(own_metrics, "STORE", own_metrics.Store())
    line = "adminset_store_rollups_failed"
    assert f"{line} 0.0" in own_metrics.written("")[0].decode()
    later = datetime.now(UTC)
    with measurements._door.open() as db:
        for n in (1, 2):
            key = f"000000000{n}:0000001"
            db["due_hours"].insert_one(
                {"_id": key, "h": n, "n": 1, "f": n, "due": later}
            )
    assert f"{line} 2.0" in own_metrics.written("")[0].decode()


def test_the_shipped_settings_keep_samples_long_enough() -> None:
    assert check_retention(None) == []

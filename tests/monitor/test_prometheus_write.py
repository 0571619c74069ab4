"""Prometheus' remote write: what is stored of which host, what is left out and how that is said, who may."""

import math
import struct
import time
from collections.abc import Iterator

import pytest

from accounts.models import User
from cmdb.models import Host, HostGroup
from monitor.models import HostIntake
from monitor.prometheus import metric_names, places_of_samples
from monitor.prometheus.lanes import all_keys, lane_of
from monitor.prometheus.series_book import BOOK
from monitor.series import Sample
from monitor.store import MetricStore
from tests.factories import make_host, make_user
from tests.monitor.prometheus_sender import (
    STALE,
    Series,
    basic,
    bearer,
    body_of,
    named,
    token_of,
    write,
)


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    """A process that has seen no series yet."""
    BOOK.forget()
    places_of_samples.forget()
    metric_names.forget()
    yield
    BOOK.forget()


@pytest.fixture
def web1(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], address="10.9.0.1")


@pytest.fixture
def writer(group: HostGroup) -> User:
    """May write the measurements of one group, and nothing else."""
    return make_user("writer", perms=["monitor.write_metrics"], groups=[group])


def kept(store: MetricStore, host: Host, name: str) -> list[tuple[float, float]]:
    """Give what the store has of a value: (Unix seconds, value)."""
    now = time.time()
    key = lane_of(host.pk, name) if name.startswith("custom.") else host.pk
    found = store.series(key, [name], now - 3600, now + 60)
    line = found.series.get(name)
    rows = zip(found.times, line.average, strict=True) if line else ()
    return [(at, value) for at, value in rows if value is not None]


def names(store: MetricStore, host: Host) -> list[str]:
    """Name the metrics that the store has of a host."""
    now = time.time()
    found = {
        name.partition("|")[0]
        for key in all_keys([host.pk])
        for name in store.series(key, ["*"], now - 3600, now + 60).series
    }
    return sorted(found)


LOAD = "custom.node_load1|instance=:9100,job=node"


def test_samples_are_stored_under_the_host_that_the_instance_names(
    measurements: MetricStore, writer: User, web1: Host
) -> None:
    now = round(time.time())
    sent: list[Series] = [(named("node_load1"), [(now - 15, 0.5), (now, 0.75)])]
    answer = write(body_of(sent), bearer(token_of(writer)))
    assert (answer.status_code, answer.content) == (204, b"")
    assert kept(measurements, web1, LOAD) == [(now - 15, 0.5), (now, 0.75)]


@pytest.mark.parametrize(
    "labels",
    [
        {"instance": "10.9.0.1:9100"},
        {"instance": "cadvisor", "host": "web1"},
        {"hostname": "web1"},
    ],
)
def test_the_address_and_other_labels_name_the_host_too(
    measurements: MetricStore, writer: User, web1: Host, labels: dict[str, str]
) -> None:
    sent: list[Series] = [({"__name__": "up", **labels}, [(time.time(), 1.0)])]
    assert write(body_of(sent), bearer(token_of(writer))).status_code == 204
    assert names(measurements, web1) == ["custom.up"]


def test_the_token_may_come_as_the_password_of_basic_credentials(
    measurements: MetricStore, writer: User, web1: Host
) -> None:
    body = body_of([(named("node_load1"), [(time.time(), 1.0)])])
    assert write(body, basic(token_of(writer))).status_code == 204
    assert write(body, basic("abc.def")).status_code == 401
    assert write(body, {"HTTP_AUTHORIZATION": "Basic ???"}).status_code == 401
    assert write(body, {}).status_code == 401


def test_a_token_needs_the_permission_and_the_right_to_change_things(
    measurements: MetricStore, auditor: User, writer: User, web1: Host
) -> None:
    body = body_of([(named("node_load1"), [(time.time(), 1.0)])])
    assert write(body, bearer(token_of(auditor))).status_code == 403
    answer = write(body, bearer(token_of(writer, can_write=False)))
    assert answer.status_code == 403
    assert "monitor.write_metrics" in answer.json()["error"]["hint"]
    assert kept(measurements, web1, LOAD) == []


def test_a_token_cannot_write_to_hosts_out_of_its_users_scope(
    measurements: MetricStore, writer: User, other_group: HostGroup
) -> None:
    db1 = make_host("db1", groups=[other_group])
    body = body_of([(named("node_load1", "db1:9100"), [(time.time(), 1.0)])])
    answer = write(body, bearer(token_of(writer)))
    assert answer.status_code == 400
    assert "db1" in answer.json()["error"]["message"]
    assert kept(measurements, db1, LOAD) == []


def test_unknown_hosts_are_said_once_and_keep_nothing_of_the_others_back(
    measurements: MetricStore, writer: User, web1: Host
) -> None:
    headers = bearer(token_of(writer))
    statuses = []
    for value in (1.0, 2.0):
        now = time.time()
        sent: list[Series] = [
            (named("node_load1"), [(now, value)]),
            (named("node_load1", "prometheus:9090"), [(now, value)]),
        ]
        statuses.append(write(body_of(sent), headers).status_code)
    # Prometheus sends neither again; the first stands in its log.
    assert statuses == [400, 204]
    assert [value for _, value in kept(measurements, web1, LOAD)] == [1.0, 2.0]


def test_a_host_name_that_two_hosts_have_names_neither(
    measurements: MetricStore, writer: User, web1: Host, group: HostGroup
) -> None:
    make_host("web1", groups=[group])
    body = body_of([(named("node_load1"), [(time.time(), 1.0)])])
    assert write(body, bearer(token_of(writer))).status_code == 400
    assert names(measurements, web1) == []


def test_requests_of_one_moment_all_are_kept_and_a_repeated_one_is_kept_once(
    measurements: MetricStore, writer: User, web1: Host
) -> None:
    headers, now = bearer(token_of(writer)), round(time.time())
    bodies = [
        body_of([(named(f"m{i}"), [(now, float(i))])]) for i in (1, 2, 3, 1, 2, 3)
    ]
    for body in bodies:
        assert write(body, headers).status_code == 204
    # Another process knows nothing of what was put where.
    places_of_samples.forget()
    for body in reversed(bodies):
        assert write(body, headers).status_code == 204
    for i in (1, 2, 3):
        found = kept(measurements, web1, f"custom.m{i}|instance=:9100,job=node")
        assert [value for _, value in found] == [float(i)]
        assert abs(found[0][0] - now) < 0.01


def test_samples_of_the_agent_of_that_very_moment_stay(
    measurements: MetricStore, writer: User, web1: Host
) -> None:
    now = round(time.time())
    measurements.write(web1.pk, [Sample(now, {"cpu.busy_percent": 5.0})])
    body = body_of([(named("node_load1"), [(now, 1.0)])])
    assert write(body, bearer(token_of(writer))).status_code == 204
    assert kept(measurements, web1, "cpu.busy_percent") == [(now, 5.0)]
    assert [value for _, value in kept(measurements, web1, LOAD)] == [1.0]


def test_markers_of_staleness_and_senseless_values_are_dropped_in_silence(
    measurements: MetricStore, writer: User, web1: Host
) -> None:
    now = round(time.time())
    stale = struct.unpack("<d", STALE)[0]
    values = [stale, math.nan, math.inf, -math.inf, 1.8446744073709552e19, 7.0]
    sent = [(named("node_load1"), [(now - 10 + i, v) for i, v in enumerate(values)])]
    assert write(body_of(sent), bearer(token_of(writer))).status_code == 204
    assert kept(measurements, web1, LOAD) == [(now - 5, 7.0)]


@pytest.mark.parametrize(
    ("series", "word"),
    [
        ((named("node_load1"), [(time.time() - 30 * 86400, 1.0)]), "old"),
        ((named("node_load1"), [(time.time() + 86400, 1.0)]), "future"),
        ((named("9 lives"), [(time.time(), 1.0)]), "no name of a metric"),
        ((named("adminset_load_1"), [(time.time(), 1.0)]), "portal's own"),
        (({"instance": "web1"}, [(time.time(), 1.0)]), "no name of a metric"),
        ((named("a", **{"b-c": "d"}), [(time.time(), 1.0)]), "no name of a label"),
        ((named("a", b="x" * 201), [(time.time(), 1.0)]), "200 characters"),
        ((named("a", **{f"l{i}": "x" for i in range(40)}), [(0, 1.0)]), "43 labels"),
    ],
)
def test_what_breaks_a_rule_is_refused_in_words_and_not_asked_for_again(
    measurements: MetricStore, writer: User, web1: Host, series: Series, word: str
) -> None:
    fine: Series = (named("node_load1"), [(round(time.time()) - 1, 3.0)])
    answer = write(body_of([series, fine]), bearer(token_of(writer)))
    assert answer.status_code == 400
    assert word in answer.json()["error"]["message"]
    assert [value for _, value in kept(measurements, web1, LOAD)] == [3.0]


def test_a_host_has_no_more_series_than_it_may(
    measurements: MetricStore, writer: User, web1: Host, settings: object
) -> None:
    settings.PROM_MAX_SERIES_PER_HOST = 2  # type: ignore[attr-defined]
    now, headers = round(time.time()), bearer(token_of(writer))
    for _again in (1, 2):
        sent: list[Series] = [(named(f"m{i}"), [(now, 1.0)]) for i in range(4)]
        answer = write(body_of(sent), headers)
        assert answer.status_code == 400
        assert "too many" in answer.json()["error"]["message"]
    assert names(measurements, web1) == ["custom.m0", "custom.m1"]
    assert HostIntake.objects.get(pk=web1.pk).left_out == {"series": 2}


def test_native_histograms_are_left_out_and_said(
    measurements: MetricStore, writer: User, web1: Host
) -> None:
    body = body_of([(named("node_load1"), [(time.time(), 1.0)])], histograms=1)
    answer = write(body, bearer(token_of(writer)))
    assert answer.status_code == 400
    assert "histogram" in answer.json()["error"]["message"]
    assert len(kept(measurements, web1, LOAD)) == 1

"""Round trips: what Prometheus wrote, and what is kept long, comes back by the query API and on the charts of its host."""

import math
import time
from collections.abc import Iterator

import pytest

from cmdb.models import Host, HostGroup
from monitor import selectors
from monitor.models import CollectionPolicy
from monitor.policy import policies, retention_of
from monitor.prometheus import metric_names, places_of_samples
from monitor.prometheus.lanes import lane_of
from monitor.prometheus.series_book import BOOK
from monitor.series import Sample
from monitor.store import MetricStore
from tests.factories import make_host, make_idc, make_user
from tests.monitor.prometheus_sender import (
    ask,
    basic,
    bearer,
    body_of,
    named,
    token_of,
    values,
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
def now() -> int:
    return round(time.time())


@pytest.fixture
def web1(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], idc=make_idc("east"))


@pytest.fixture
def looker(db: None) -> dict[str, str]:
    """The header of a token that may look at all measurements."""
    user = make_user("grafana", perms=["monitor.view_metrics", "cmdb.view_hostgroup"])
    return bearer(token_of(user, can_write=False))


def test_what_prometheus_wrote_comes_back_by_a_range_query_and_on_the_charts_of_its_host(
    measurements: MetricStore,
    web1: Host,
    looker: dict[str, str],
    now: int,
) -> None:
    writer = bearer(token_of(make_user("w", perms=["monitor.write_metrics"])))
    sent = [(now - 300 + 15 * i, float(i * i)) for i in range(20)]
    labels = named("node_network_bytes_total", device="br,0=%é") | {"host": "inner"}
    assert write(body_of([(labels, sent)]), writer).status_code == 204
    answer = ask(
        "query_range",
        looker,
        query='node_network_bytes_total{device=~"br.+"}',
        start=now - 300,
        end=now - 15,
        step="15s",
    )
    (series,) = answer.said["data"]["result"]
    assert series["metric"] == labels | {
        "host": "web1",
        "exported_host": "inner",
        "group": "web",
        "idc": "east",
    }
    assert [(at, float(value)) for at, value in series["values"]] == sent
    name = "custom.node_network_bytes_total"
    assert name in selectors.names_of(web1.pk)
    found = selectors.chart(web1.pk, [name, f"{name}|*"], now - 600, now + 1)
    (line,) = found.series.values()
    assert [value for value in line.average if value is not None] == [
        v for _, v in sent
    ]


def test_a_rate_goes_on_over_the_reset_of_a_counter(
    measurements: MetricStore, web1: Host, looker: dict[str, str], now: int
) -> None:
    counter = [100.0, 115.0, 130.0, 5.0, 20.0, 35.0, 50.0, 65.0]
    samples = [
        Sample(now - 15 * (7 - i), {"custom.c_total": value})
        for i, value in enumerate(counter)
    ]
    measurements.write(web1.pk, samples)
    answer = ask("query", looker, query="rate(c_total[2m])", time=now)
    # 15 in each of 15 seconds but one, in which it fell to 5.
    rate = float(values(answer)["web1"])
    assert math.isclose(rate, (6 * 15 + 5) / 105, rel_tol=0.1)
    assert values(ask("query", looker, query="irate(c_total[2m])", time=now)) == {
        "web1": "1"
    }


def test_long_ago_comes_as_averages_that_say_what_they_cannot_tell(
    measurements: MetricStore, web1: Host, looker: dict[str, str], now: int
) -> None:
    day = 86400
    start = now - 3 * day
    for hour in range(0, 72, 4):
        at = start + hour * 3600
        samples = [
            Sample(at + 15 * i, {"cpu.busy_percent": float(i)}) for i in range(240)
        ]
        measurements.write(web1.pk, samples)
    measurements.roll_up(now=now + 3600)
    asked = {"start": start, "end": now, "step": 3600}
    one = 'adminset_cpu_busy_percent{host="web1"}'
    highest = ask("query_range", looker, query=f"max_over_time({one}[1h])", **asked)
    assert max(float(v) for _, v in highest.said["data"]["result"][0]["values"]) == 239
    refused = ask("query_range", looker, query=f"sum_over_time({one}[1h])", **asked)
    assert refused.status_code == 422
    assert "averages" in refused.said["error"]


def test_remote_written_names_are_offered_to_who_may_see_their_host(
    measurements: MetricStore,
    web1: Host,
    other_group: HostGroup,
    group: HostGroup,
    now: int,
) -> None:
    make_host("db1", groups=[other_group])
    writer = bearer(token_of(make_user("w", perms=["monitor.write_metrics"])))
    sent = [(named("a_metric"), [(now, 1.0)]), (named("b_metric", "db1"), [(now, 1.0)])]
    assert write(body_of(sent), writer).status_code == 204  # type: ignore[arg-type]
    narrow = make_user("narrow", perms=["monitor.view_metrics"], groups=[group])
    names = ask("label/__name__/values", basic(token_of(narrow))).said["data"]
    assert "a_metric" in names
    assert "b_metric" not in names


def test_what_others_wrote_stays_as_long_as_what_the_agent_sent(
    web1: Host, group: HostGroup
) -> None:
    policies.forget()
    CollectionPolicy.objects.create(host_group=group, raw_hours=70)
    kept = retention_of([web1.pk, lane_of(web1.pk, "custom.up")])
    assert {each.raw for each in kept.values()} == {70 * 3600}
    policies.forget()

"""The query API: what was stored comes back as Prometheus would say it, and as Grafana asks for it."""

import time

import pytest
from django.test import Client

from cmdb.models import Host, HostGroup
from monitor.series import Sample
from monitor.store import MetricStore
from tests.factories import make_host, make_idc, make_user
from tests.monitor.prometheus_sender import (
    ask,
    bearer,
    token_of,
    values,
)


@pytest.fixture
def now() -> int:
    return round(time.time())


@pytest.fixture
def web1(group: HostGroup) -> Host:
    return make_host("web1", groups=[group], idc=make_idc("east"))


@pytest.fixture
def db1(other_group: HostGroup) -> Host:
    return make_host("db1", groups=[other_group])


@pytest.fixture
def busy(measurements: MetricStore, web1: Host, db1: Host, now: int) -> None:
    """Ten minutes of two hosts, a sample each 15 s: CPU and two file systems."""
    for host, base in ((web1, 10.0), (db1, 50.0)):
        samples = [
            Sample(
                now - 600 + 15 * i,
                {
                    "cpu.busy_percent": base + i,
                    "fs.used_percent|/": base,
                    "fs.used_percent|/var": base + 30,
                },
            )
            for i in range(41)
        ]
        measurements.write(host.pk, samples)


@pytest.fixture
def looker(db: None) -> dict[str, str]:
    """The header of a token that may look at all measurements."""
    user = make_user("grafana", perms=["monitor.view_metrics", "cmdb.view_hostgroup"])
    return bearer(token_of(user, can_write=False))


def test_the_present_value_comes_with_the_labels_of_its_host(
    busy: None, looker: dict[str, str], now: int
) -> None:
    answer = ask("query", looker, query='adminset_cpu_busy_percent{host="web1"}')
    assert answer.said == {
        "status": "success",
        "data": {
            "resultType": "vector",
            "result": [
                {
                    "metric": {
                        "__name__": "adminset_cpu_busy_percent",
                        "host": "web1",
                        "instance": "web1",
                        "group": "web",
                        "idc": "east",
                    },
                    "value": [answer.said["data"]["result"][0]["value"][0], "50"],
                }
            ],
        },
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("adminset_cpu_busy_percent", {"web1": "50", "db1": "90"}),
        ('adminset_cpu_busy_percent{host!="web1"}', {"db1": "90"}),
        ('adminset_cpu_busy_percent{group=~"we.|x"}', {"web1": "50"}),
        ('adminset_cpu_busy_percent{idc=""}', {"db1": "90"}),
        ('adminset_cpu_busy_percent{instance!~"web.*"}', {"db1": "90"}),
        ("adminset_cpu_busy_percent > 60", {"db1": "90"}),
        ("adminset_cpu_busy_percent >= bool 90", {"web1": "0", "db1": "1"}),
        ("100 - adminset_cpu_busy_percent", {"web1": "50", "db1": "10"}),
        ("-adminset_cpu_busy_percent % 7", {"web1": "-1", "db1": "-6"}),
        ("topk(1, adminset_cpu_busy_percent)", {"db1": "90"}),
        ("bottomk(1, adminset_cpu_busy_percent)", {"web1": "50"}),
        ("sum(adminset_cpu_busy_percent)", {"": "140"}),
        ("avg(adminset_cpu_busy_percent)", {"": "70"}),
        ("max by (host) (adminset_fs_used_percent)", {"web1": "40", "db1": "80"}),
        (
            "count without (mount, group, idc, instance) (adminset_fs_used_percent)",
            {"web1": "2", "db1": "2"},
        ),
        ('adminset_fs_used_percent{mount="/var"}', {"web1": "40", "db1": "80"}),
        ("adminset_cpu_busy_percent offset 5m", {"web1": "30", "db1": "70"}),
        ("last_over_time(adminset_cpu_busy_percent[5m])", {"web1": "50", "db1": "90"}),
        ("min_over_time(adminset_cpu_busy_percent[5m])", {"web1": "31", "db1": "71"}),
        ("max_over_time(adminset_cpu_busy_percent[5m])", {"web1": "50", "db1": "90"}),
        (
            "avg_over_time(adminset_cpu_busy_percent[5m])",
            {"web1": "40.5", "db1": "80.5"},
        ),
        ("count_over_time(adminset_cpu_busy_percent[5m])", {"web1": "20", "db1": "20"}),
        ("sum_over_time(adminset_cpu_busy_percent[1m])", {"web1": "194", "db1": "354"}),
        ("round(irate(adminset_cpu_busy_percent[5m]) * 15)", {"web1": "1", "db1": "1"}),
        ("round(increase(adminset_cpu_busy_percent[5m]))", {"web1": "20", "db1": "20"}),
        (
            "adminset_cpu_busy_percent / on (host) adminset_cpu_busy_percent",
            {"web1": "1", "db1": "1"},
        ),
        ("abs(adminset_cpu_busy_percent - 70)", {"web1": "20", "db1": "20"}),
        ('{__name__=~"adminset_cpu_busy_.*", host="db1"}', {"db1": "90"}),
        ("no_such_metric", {}),
        ("sum(no_such_metric)", {}),
    ],
)
def test_an_instant_query_answers_as_prometheus_does(
    busy: None, looker: dict[str, str], now: int, query: str, expected: dict[str, str]
) -> None:
    assert values(ask("query", looker, query=query, time=now)) == expected


def test_a_number_is_a_scalar_as_the_health_check_of_grafana_asks(
    looker: dict[str, str],
) -> None:
    answer = Client().post(
        "/api/prom/api/v1/query",
        "query=1%2B1&time=4",
        content_type="application/x-www-form-urlencoded",
        **looker,  # type: ignore[arg-type]
    )
    data = answer.json()["data"]
    assert data == {"resultType": "scalar", "result": [4.0, "2"]}
    assert ask("query", looker, query="1/0").said["data"]["result"][1] == "+Inf"
    assert ask("query", looker, query="0/0").said["data"]["result"][1] == "NaN"


def test_a_range_of_values_comes_as_it_was_measured(
    busy: None, looker: dict[str, str], now: int
) -> None:
    query = 'adminset_cpu_busy_percent{host="web1"}[1m]'
    (series,) = ask("query", looker, query=query, time=now).said["data"]["result"]
    assert series["values"] == [
        [now - 45, "47"],
        [now - 30, "48"],
        [now - 15, "49"],
        [now, "50"],
    ]


def test_series_and_labels_are_told(
    busy: None, looker: dict[str, str], web1: Host
) -> None:
    found = ask(
        "series", looker, **{"match[]": 'adminset_fs_used_percent{host="web1"}'}
    )
    assert sorted(each["mount"] for each in found.said["data"]) == ["/", "/var"]
    names = ask("label/__name__/values", looker).said["data"]
    assert {"adminset_cpu_busy_percent", "adminset_net_drops_per_second"} <= set(names)
    assert ask("label/host/values", looker).said["data"] == ["db1", "web1"]
    assert ask("label/group/values", looker).said["data"] == ["database", "web"]
    assert ask("label/mount/values", looker).said["data"] == ["/", "/var"]
    matched = {"match[]": 'adminset_fs_used_percent{mount="/"}'}
    assert ask("label/mount/values", looker, **matched).said["data"] == ["/"]
    assert {"__name__", "host", "mount"} <= set(ask("labels", looker).said["data"])
    assert "core" not in ask("labels", looker, **matched).said["data"]


def test_what_grafana_asks_to_learn_who_we_are(looker: dict[str, str]) -> None:
    told = ask("status/buildinfo", looker).said["data"]
    assert told["application"] == "AdminSet"
    load = ask("metadata", looker, metric="adminset_load_1").said["data"]
    assert load["adminset_load_1"][0]["type"] == "gauge"
    assert len(ask("metadata", looker, limit=3).said["data"]) == 3


def test_hosts_of_one_name_are_told_apart(
    measurements: MetricStore,
    web1: Host,
    group: HostGroup,
    looker: dict[str, str],
    now: int,
) -> None:
    twin = make_host("web1", groups=[group])
    for host in (web1, twin):
        measurements.write(host.pk, [Sample(now, {"load.1": float(host.pk)})])
    found = values(ask("query", looker, query="adminset_load_1", time=now))
    assert found == {f"web1#{h.pk}": str(h.pk) for h in (web1, twin)}

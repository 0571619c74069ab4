"""The pages of monitoring: what they draw, whom they show it to, and what they say without a store."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from accounts.models import User
from cmdb.models import Host, HostGroup
from monitor import metric_store
from monitor.charts import unit_name
from monitor.fleet import by_value
from monitor.metrics import CATALOGUE
from monitor.ranges import RANGES
from monitor.series import Sample
from monitor.store import MetricStore
from tests.factories import make_group, make_host

Signed = Callable[[User], Client]
VALUES = {
    "cpu.busy_percent": 43.25,
    "memory.used_percent": 61.0,
    "load.1": 0.75,
    "fs.used_percent|/": 20.0,
    "fs.used_percent|/srv/a.b$c": 91.0,
}


def measured(store: MetricStore, host: Host, **changes: float) -> None:
    """Store one sample of a host, now."""
    store.write(host.pk, [Sample(time.time(), VALUES | changes)])


def test_the_fleet_shows_the_newest_values_of_every_host_of_the_cmdb(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    known, silent = make_host("web1"), make_host("web2")
    measured(measurements, known)
    page = client_of(admin).get(reverse("monitor:fleet")).content.decode()
    assert "43 %" in page
    assert "91" in page
    assert silent.hostname in page
    assert "never reported" in page


def test_the_fleet_shows_only_hosts_in_scope(
    client_of: Signed, operator: User, group: HostGroup, measurements: MetricStore
) -> None:
    mine, other = (
        make_host("mine", groups=[group]),
        make_host("other", groups=[make_group()]),
    )
    page = client_of(operator).get(reverse("monitor:fleet")).content.decode()
    assert mine.hostname in page
    assert other.hostname not in page
    assert (
        client_of(operator).get(reverse("monitor:host", args=[other.pk])).status_code
        == 404
    )
    chart = reverse("monitor:host_chart", args=[other.pk, "cpu"])
    assert client_of(operator).get(chart).status_code == 404


def test_the_fleet_costs_as_many_queries_for_forty_hosts_as_for_two(
    client_of: Signed,
    admin: User,
    measurements: MetricStore,
    django_assert_max_num_queries: Any,
) -> None:
    for _ in range(40):
        make_host()
    client = client_of(admin)
    with django_assert_max_num_queries(8):
        assert client.get(reverse("monitor:fleet")).status_code == 200


@pytest.mark.parametrize(
    "sort",
    [
        "cpu",
        "-cpu",
        "memory",
        "-disk",
        "load",
        "seen",
        "hostname",
        "-hostname",
        "nonsense",
    ],
)
def test_the_fleet_sorts_by_any_column(
    client_of: Signed, admin: User, measurements: MetricStore, sort: str
) -> None:
    calm, busy = make_host("calm"), make_host("hot")
    measured(measurements, calm, **{"cpu.busy_percent": 1.0})
    measured(measurements, busy, **{"cpu.busy_percent": 99.0})
    answer = client_of(admin).get(reverse("monitor:fleet"), {"sort": sort})
    assert answer.status_code == 200
    if sort == "-cpu":
        names = [
            a.text
            for a in BeautifulSoup(answer.content, "html.parser").select(
                "tbody td.first a"
            )
        ]
        assert names == ["hot", "calm"]


def test_hosts_without_a_value_come_last_whichever_way_it_is_sorted() -> None:
    values = {2: 1.0, 3: 2.0}
    assert by_value([1, 2, 3], values.get, descending=False) == [2, 3, 1]
    assert by_value([1, 2, 3], values.get, descending=True) == [3, 2, 1]


def test_a_hosts_page_names_the_data_of_every_chart(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    host = make_host()
    page = BeautifulSoup(
        client_of(admin).get(reverse("monitor:host", args=[host.pk])).content,
        "html.parser",
    )
    drawn = page.select("[data-chart]")
    assert len(drawn) >= 8
    (url,) = {element["data-url"] for element in drawn}
    given = client_of(admin).get(url).json()["charts"]
    assert {element["data-key"] for element in drawn} == set(given)


def test_a_chart_gives_what_the_store_holds(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    host = make_host()
    measured(measurements, host)
    data = (
        client_of(admin)
        .get(reverse("monitor:host_chart", args=[host.pk, "cpu"]))
        .json()
    )
    line = next(one for one in data["series"] if one["metric"] == "cpu.busy_percent")
    assert [value for value in line["average"] if value is not None] == [43.25]
    assert data["unit"] == "%"


def test_a_mount_point_with_dots_and_dollars_has_its_own_line(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    host = make_host()
    measured(measurements, host)
    data = (
        client_of(admin)
        .get(reverse("monitor:host_chart", args=[host.pk, "filesystems"]))
        .json()
    )
    assert "fs.used_percent|/srv/a.b$c" in {one["metric"] for one in data["series"]}


@pytest.mark.parametrize("range_key", RANGES)
def test_every_range_gives_at_most_a_thousand_points(
    client_of: Signed, admin: User, measurements: MetricStore, range_key: str
) -> None:
    host = make_host()
    now = time.time()
    measurements.write(
        host.pk,
        [
            Sample(now - 15 * i, {"cpu.busy_percent": float(i % 100)})
            for i in range(1500)
        ],
    )
    url = reverse("monitor:host_chart", args=[host.pk, "cpu"])
    data = client_of(admin).get(url, {"range": range_key}).json()
    assert 0 < max(len(one["average"]) for one in data["series"]) <= 1000
    assert len(data["series"][0]["average"]) == len(data["times"])


def test_a_host_that_fell_silent_says_since_when(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    host = make_host()
    then = time.time() - 7200
    measurements.write(host.pk, [Sample(then, VALUES)])
    data = (
        client_of(admin)
        .get(reverse("monitor:host_chart", args=[host.pk, "cpu"]))
        .json()
    )
    assert data["no_data_since"] == pytest.approx(then, abs=1)


def test_an_unknown_chart_is_not_found(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    assert (
        client_of(admin)
        .get(reverse("monitor:host_chart", args=[make_host().pk, "nonsense"]))
        .status_code
        == 404
    )


def test_without_a_store_the_pages_say_so_and_the_rest_goes_on(
    client_of: Signed, admin: User, settings: Any
) -> None:
    settings.MONGO_URL = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200"
    metric_store.store.cache_clear()
    host, client = make_host(), client_of(admin)
    fleet = client.get(reverse("monitor:fleet"))
    assert fleet.status_code == 200
    assert "metric store does not answer" in fleet.content.decode()
    assert client.get(reverse("monitor:host", args=[host.pk])).status_code == 200
    state = client.get(reverse("monitor:host_state", args=[host.pk]))
    assert "metric store does not answer" in state.content.decode()
    for name in ("coverage", "fleet_map"):
        page = client.get(reverse(f"monitor:{name}"))
        assert "metric store does not answer" in page.content.decode()
    chart = client.get(
        reverse("monitor:host_chart", args=[host.pk, "cpu"]),
        HTTP_ACCEPT="application/json",
    )
    assert chart.status_code == 503
    assert client.get(reverse("monitor:card")).status_code == 200
    metric_store.store.cache_clear()


def test_every_unit_of_the_catalogue_has_a_sign_or_a_word() -> None:
    assert all(unit_name(metric.unit) is not None for metric in CATALOGUE.values())


def test_the_charts_stand_on_the_hosts_page_of_the_cmdb_too(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    host = make_host()
    measured(measurements, host)
    url = reverse("cmdb:host_detail", args=[host.pk])
    page = client_of(admin).get(url, {"tab": "charts"}).content.decode()
    assert 'id="chart-cpu"' in page
    assert f'hx-get="{reverse("monitor:host_state", args=[host.pk])}"' in page

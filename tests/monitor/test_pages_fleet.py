"""The fleet: filtered and sorted by any current value, as a heat map, a group as a whole, hosts side by side."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from accounts.models import User
from cmdb.models import Host, HostGroup
from monitor.heat_map import heat_map, step_of
from monitor.line_charts import of_group
from monitor.many_lines import lines_of
from monitor.ranges import Span
from monitor.series import Sample
from monitor.store import MetricStore
from tests.factories import make_dynamic, make_group, make_host

Signed = Callable[[User], Client]


def measured(store: MetricStore, host: Host, ago: float = 0.0, **values: float) -> None:
    """Store one sample of a host; "cpu_busy_percent" stands for cpu.busy_percent."""
    named = {name.replace("_", ".", 1): value for name, value in values.items()}
    store.write(host.pk, [Sample(time.time() - ago, named)])


def names_in(page: bytes) -> list[str]:
    """Give the host names of a table, in its order."""
    found = BeautifulSoup(page, "html.parser").select("tbody td.first a")
    return [link.text for link in found]


def test_the_fleet_is_narrowed_and_sorted_by_a_value_that_it_does_not_show(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    for name, waiting in (("low", 1.0), ("middle", 20.0), ("high", 60.0)):
        measured(measurements, make_host(name), cpu_iowait_percent=waiting)
    make_host("unknown")
    asked = {"metric": "cpu.iowait_percent", "least": "10", "sort": "-value"}
    answer = client_of(admin).get(reverse("monitor:fleet"), asked)
    assert names_in(answer.content) == ["high", "middle"]
    assert "60 %" in answer.content.decode()


def test_of_a_metric_with_many_instances_the_highest_counts(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    host = make_host("disks")
    values = {"disk.busy_percent|sda": 3.0, "disk.busy_percent|sdb": 97.0}
    measurements.write(host.pk, [Sample(time.time(), values)])
    asked = {"metric": "disk.busy_percent", "least": "90"}
    answer = client_of(admin).get(reverse("monitor:fleet"), asked)
    assert names_in(answer.content) == ["disks"]


@pytest.mark.parametrize(
    ("state", "shown"),
    [("reporting", ["now"]), ("silent", ["then"]), ("never", ["unheard"])],
)
def test_the_fleet_is_narrowed_by_who_reports(
    client_of: Signed,
    admin: User,
    measurements: MetricStore,
    state: str,
    shown: list[str],
) -> None:
    measured(measurements, make_host("now"), load_1=1.0)
    measured(measurements, make_host("then"), 7200, load_1=1.0)
    make_host("unheard")
    answer = client_of(admin).get(reverse("monitor:fleet"), {"state": state})
    assert names_in(answer.content) == shown


@pytest.mark.parametrize(
    "asked",
    [
        {"metric": "no.such.metric", "least": "1"},
        {"metric": "load.1", "least": "nan", "most": "x"},
        {"group": "9" * 30},
        {"page": "-1", "sort": "value"},
        {"q": "\x00"},
    ],
)
def test_a_senseless_address_of_the_fleet_shows_hosts_all_the_same(
    client_of: Signed, admin: User, measurements: MetricStore, asked: dict[str, str]
) -> None:
    measured(measurements, make_host("web1"), load_1=1.0)
    assert client_of(admin).get(reverse("monitor:fleet"), asked).status_code == 200


def test_a_sorted_page_costs_as_many_queries_for_120_hosts_as_for_two(
    client_of: Signed,
    admin: User,
    measurements: MetricStore,
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(120):
        measured(measurements, make_host(), load_1=float(number))
    client = client_of(admin)
    asked = {"sort": "-load", "state": "reporting", "metric": "load.5"}
    with django_assert_max_num_queries(15):
        answer = client.get(reverse("monitor:fleet"), asked)
    assert len(names_in(answer.content)) == 50


def test_the_map_puts_the_hottest_first_and_each_host_into_its_groups(
    admin: User, measurements: MetricStore
) -> None:
    web = make_group("web")
    make_dynamic("ops", owner_is=["ops"])
    calm, hot = make_host("calm", groups=[web]), make_host("hot", groups=[web])
    alone = make_host("alone", owner="ops")
    stray = make_host("stray")
    measured(measurements, calm, cpu_busy_percent=5.0)
    measured(measurements, hot, cpu_busy_percent=95.0)
    measured(measurements, alone, cpu_busy_percent=50.0)
    blocks = {block.name: block for block in heat_map(admin, "cpu.busy_percent")}
    assert [square.name for square in blocks["web"].squares] == ["hot", "calm"]
    assert blocks["web"].average == 50.0
    assert [square.pk for square in blocks["ops"].squares] == [alone.pk]
    assert [square.pk for square in blocks["in no group"].squares] == [stray.pk]


@pytest.mark.parametrize(
    ("value", "step"),
    [(None, 0), (0.0, 0), (19.9, 0), (20.0, 1), (85.0, 4), (100.0, 5)],
)
def test_a_square_is_coloured_by_its_share_of_the_top(
    value: float | None, step: int
) -> None:
    assert step_of(value, 100.0) == step


def test_the_map_shows_only_what_the_reader_may_see(
    client_of: Signed, operator: User, group: HostGroup, measurements: MetricStore
) -> None:
    make_host("mine", groups=[group])
    other = make_host("other", groups=[make_group("secret")])
    measured(measurements, other, cpu_busy_percent=99.0)
    page = client_of(operator).get(reverse("monitor:fleet_map")).content.decode()
    assert "mine" in page
    assert "other" not in page
    assert "secret" not in page


def test_a_group_is_summed_and_averaged_host_by_host(
    db: None, measurements: MetricStore
) -> None:
    now = time.time() // 60 * 60
    first, second = make_host(), make_host()
    for host, value in ((first, 10.0), (second, 30.0)):
        samples = [Sample(now - 60 * i, {"load.1": value}) for i in range(5)]
        measurements.write(host.pk, samples)
    names = {first.pk: "first", second.pk: "second"}
    found = lines_of(names, "load.1", Span("", now - 600, now + 1))
    seen = {
        way: {
            value
            for value in of_group(found, "load.1", names, way)["series"][0]["average"]
            if value is not None
        }
        for way in ("sum", "average", "highest")
    }
    assert seen == {"sum": {40}, "average": {20}, "highest": {30}}


def test_rates_of_a_hosts_interfaces_are_added_up(
    db: None, measurements: MetricStore
) -> None:
    host, name = make_host(), "net.sent_bytes_per_second"
    values = {f"{name}|eth0": 100.0, f"{name}|eth1": 11.0}
    measurements.write(host.pk, [Sample(time.time() - 5, values)])
    found = lines_of([host.pk], name, Span("", time.time() - 600, time.time()))
    assert [v for v in found.lines[host.pk] if v is not None] == [111.0]


def test_a_groups_page_gives_four_charts_in_one_answer(
    client_of: Signed, operator: User, group: HostGroup, measurements: MetricStore
) -> None:
    for number in range(3):
        host = make_host(f"web{number}", groups=[group])
        measured(measurements, host, 5, cpu_busy_percent=10.0 * number)
    client = client_of(operator)
    page = client.get(reverse("monitor:hostgroup_charts", args=[group.pk]))
    assert "3 / 3" in page.content.decode()
    lines = client.get(
        reverse("monitor:hostgroup_lines", args=[group.pk]), {"top": "3", "range": "1h"}
    ).json()
    assert set(lines["charts"]) == {"average", "sum", "highest", "top"}
    top = [line["name"] for line in lines["charts"]["top"]["series"]]
    assert top == ["web2", "web1", "web0"]


def test_a_group_that_the_reader_may_not_see_is_not_there(
    client_of: Signed, operator: User, measurements: MetricStore
) -> None:
    other = make_group("secret")
    for name in ("hostgroup_charts", "hostgroup_lines"):
        url = reverse(f"monitor:{name}", args=[other.pk])
        assert client_of(operator).get(url).status_code == 404


def test_hosts_stand_side_by_side_as_far_as_the_reader_may_see_them(
    client_of: Signed, operator: User, group: HostGroup, measurements: MetricStore
) -> None:
    mine, other = make_host("mine", groups=[group]), make_host("other")
    for host in (mine, other):
        measured(measurements, host, 5, cpu_busy_percent=50.0)
    keys = [str(mine.pk), str(other.pk), "x"]
    asked = {"host": keys, "metric": ["cpu.busy_percent"]}
    client = client_of(operator)
    page = client.get(reverse("monitor:compare"), asked).content.decode()
    assert "mine" in page
    assert "other" not in page
    lines = client.get(reverse("monitor:compare_lines"), asked).json()
    assert [line["name"] for line in lines["series"]] == ["mine"]

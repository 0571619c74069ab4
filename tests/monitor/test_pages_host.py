"""A host's page: ranges, coverage, live points, marks of what happened, tables of what it does now."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from adminset import audit
from cmdb.models import Host, HostGroup
from monitor import host_tables, ranges
from monitor.chart_list import CHARTS, charts_for, is_stacked
from monitor.charts import page_json
from monitor.marks import marks_of
from monitor.ranges import Span, span_of
from monitor.series import Sample
from monitor.store import MetricStore
from monitor.tables_of_hosts import Table
from tasks.models import Run, RunHost
from tests.factories import make_host, make_user

Signed = Callable[[User], Client]


def data_of(client: Client, host: Host, **asked: Any) -> dict[str, Any]:
    """Ask for the charts of a host."""
    url = reverse("monitor:host_charts", args=[host.pk])
    return dict(client.get(url, asked).json())


def an_hour_around(now: float) -> Span:
    """Give the hour that ends in a minute."""
    return Span("", now - 3540, now + 60)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ({}, 3600),
        ({"range": "2y"}, 730 * 86400),
        ({"range": "nonsense"}, 3600),
        ({"from": "1700000000", "to": "1700003600"}, 3600),
        ({"from": "1700003600", "to": "1700000000"}, 3600),
        ({"from": "1000000000", "to": "1700000000"}, 3600),
        ({"from": "2023-11-14T10:00", "to": "2023-11-14T10:30"}, 1800),
        ({"from": "9" * 40}, 3600),
        ({"from": "0001-01-01T00:00"}, 3600),
    ],
)
def test_a_range_is_read_from_the_address(asked: dict[str, str], seconds: int) -> None:
    assert span_of(asked).seconds == pytest.approx(seconds)


def test_a_range_of_ones_own_is_over_and_asks_no_more() -> None:
    own = span_of({"from": "1700000000", "to": "1700003600"})
    assert (own.key, own.refresh) == ("", 0)
    assert own.query == "from=1700000000&to=1700003600"
    start = timezone.make_aware(datetime.fromisoformat(own.boxes["from"]))
    assert start.timestamp() == pytest.approx(1700000000, abs=60)


def test_a_range_never_reaches_into_the_future() -> None:
    tomorrow = str(round(time.time() + 86400))
    start = str(round(time.time() - 600))
    assert span_of({"from": start, "to": tomorrow}).end <= time.time()


@pytest.mark.parametrize("key", ranges.RANGES)
def test_every_range_of_the_page_is_answered(
    client_of: Signed, admin: User, measurements: MetricStore, key: str
) -> None:
    host = make_host()
    measurements.write(host.pk, [Sample(time.time(), {"load.1": 1.0})])
    data = data_of(client_of(admin), host, range=key)
    assert data["end"] - data["start"] == pytest.approx(ranges.RANGES[key], abs=1)


def test_a_page_has_at_least_twelve_charts_of_what_the_agent_reports(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    host = make_host()
    values = {
        pattern.replace("*", "x"): 1.0 for chart in CHARTS for pattern in chart.patterns
    }
    measurements.write(host.pk, [Sample(time.time(), values)])
    page = client_of(admin).get(reverse("monitor:host", args=[host.pk])).content
    drawn = BeautifulSoup(page, "html.parser").select("[data-chart]")
    assert {chart.key for chart in CHARTS} <= {str(e["data-key"]) for e in drawn}
    assert len(CHARTS) >= 12
    assert len({element["id"] for element in drawn}) == len(drawn)


def test_what_a_host_has_not_gets_no_chart_and_its_own_values_get_one() -> None:
    known = {chart.key for chart in charts_for(["load.1", "custom.queue|name=a"])}
    assert "gpus" not in known
    assert {"load", "custom.queue"} <= known


def test_parts_of_the_cpu_are_laid_on_one_another_and_the_whole_is_not() -> None:
    cpu = next(chart for chart in CHARTS if chart.key == "cpu")
    assert is_stacked(cpu, "cpu.user_percent")
    assert not is_stacked(cpu, "cpu.busy_percent")


def test_coverage_says_how_much_of_each_chart_is_there(
    db: None, measurements: MetricStore
) -> None:
    host, now = make_host(), time.time()
    samples = [
        Sample(
            now - 15 * i, {"load.1": 1.0} | ({"cpu.busy_percent": 2.0} if i % 2 else {})
        )
        for i in range(240)
    ]
    measurements.write(host.pk, samples)
    charts = [chart for chart in CHARTS if chart.key in {"cpu", "load", "swap"}]
    patterns = [pattern for chart in charts for pattern in chart.patterns]
    found = measurements.series(host.pk, patterns, now - 3600, now + 1)
    given = page_json(charts, found)["charts"]
    assert given["load"]["coverage"] == pytest.approx(1.0, abs=0.02)
    assert given["cpu"]["coverage"] == pytest.approx(0.5, abs=0.02)
    assert given["swap"]["coverage"] == 0


def test_silence_is_a_gap_and_never_a_zero(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    host, now = make_host(), time.time()
    moments = [now - 1200 - 15 * i for i in range(20)] + [
        now - 15 * i for i in range(20)
    ]
    measurements.write(host.pk, [Sample(moment, {"load.1": 3.0}) for moment in moments])
    data = data_of(client_of(admin), host)
    line = data["charts"]["load"]["series"][0]["average"]
    assert None in line
    assert {value for value in line if value is not None} == {3.0}


def test_a_live_page_is_given_only_what_it_has_not(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    host, now = make_host(), time.time()
    for i in range(10):
        measurements.write(host.pk, [Sample(now - i, {"load.1": float(i)})])
    data = data_of(client_of(admin), host, range="15m", since=f"{now - 2.5:.3f}")
    line = data["charts"]["load"]["series"][0]["average"]
    assert sorted(value for value in line if value is not None) == [0.0, 1.0, 2.0]
    assert "marks" not in data


@pytest.mark.parametrize("since", ["nan", "-1", "x", "1e9", "9" * 30, "0"])
def test_a_senseless_since_is_no_fault(
    client_of: Signed, admin: User, measurements: MetricStore, since: str
) -> None:
    host = make_host()
    measurements.write(host.pk, [Sample(time.time(), {"load.1": 1.0})])
    assert data_of(client_of(admin), host, since=since)["charts"]


def a_run_on(host: Host, by: User) -> Run:
    """Make a run that began on the host a minute ago."""
    began = timezone.now() - timedelta(minutes=1)
    run = Run.objects.create(
        command="id", title="patch all", requested_by=by, started_at=began
    )
    RunHost.objects.create(run=run, host=host, host_name=str(host))
    return run


def test_runs_and_changes_are_marked_with_a_link(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    host = make_host()
    measurements.write(host.pk, [Sample(time.time(), {"load.1": 1.0})])
    run = a_run_on(host, admin)
    audit.record(admin, "host.update", host)
    client = client_of(admin)
    marks = {mark["kind"]: mark for mark in data_of(client, host)["marks"]}
    assert marks["run"]["url"] == reverse("tasks:run_detail", args=[run.pk])
    assert "patch all" in marks["run"]["title"]
    assert marks["change"]["url"] == reverse("cmdb:host_history", args=[host.pk])
    page = client.get(reverse("monitor:host", args=[host.pk])).content.decode()
    assert "patch all" in page


def test_marks_tell_nobody_what_he_may_not_read(
    group: HostGroup, measurements: MetricStore, admin: User
) -> None:
    watcher = make_user(perms=["monitor.view_metrics"], groups=[group])
    host = make_host(groups=[group])
    a_run_on(host, admin)
    audit.record(admin, "host.update", host)
    assert marks_of(watcher, host, an_hour_around(time.time())) == []
    assert len(marks_of(admin, host, an_hour_around(time.time()))) == 2


def with_tables(
    monkeypatch: pytest.MonkeyPatch, store: MetricStore, *tables: Table
) -> None:
    """Let the store know these tables of every host."""
    named = {table.name: table for table in tables}
    monkeypatch.setattr(type(store), "read_tables", lambda *_: named, raising=False)


def test_tables_show_what_a_host_sent_and_mark_what_failed(
    client_of: Signed,
    admin: User,
    measurements: MetricStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    host, columns = make_host(), ["name", "load", "active", "sub"]
    rows = [["<b>x</b>.service", "loaded", "failed", "failed"]]
    units = Table("units", time.time(), columns, rows, left_out=7)
    strange = Table("widgets", time.time() - 7200, ["memory_bytes"], [["much"], [None]])
    with_tables(monkeypatch, measurements, units, strange)
    values = {"fs.used_percent|/srv/a|b": 91.0, "fs.total_bytes|/srv/a|b": 2.0**30}
    measurements.write(host.pk, [Sample(time.time(), values)])
    url = reverse("monitor:host_state", args=[host.pk])
    page = client_of(admin).get(url).content.decode()
    assert "&lt;b&gt;x&lt;/b&gt;.service" in page
    assert "7 more rows were not sent" in page
    assert "/srv/a|b" in page
    assert "1 GiB" in page
    assert "much" in page


def test_a_table_of_another_time_is_said_to_be_old(
    db: None, measurements: MetricStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[list[Any]] = [["sda", False, 41, 12000]]
    columns = ["device", "healthy", "temperature", "power_on_hours"]
    table = Table("smart", time.time() - 7200, columns, rows)
    with_tables(monkeypatch, measurements, table)
    (shown,) = host_tables.tables_of(make_host().pk)
    assert shown.late
    assert [cell.bad for cell in shown.rows[0]] == [False, True, False, False]


def test_what_belongs_to_a_host_out_of_scope_is_not_there(
    client_of: Signed, operator: User, measurements: MetricStore
) -> None:
    other = make_host()
    for name in ("host", "host_charts", "host_state"):
        url = reverse(f"monitor:{name}", args=[other.pk])
        assert client_of(operator).get(url).status_code == 404

"""What the portal left out of reports, or put right, is told: on the host's page, on the coverage page, in /metrics."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from cmdb.models import Agent, Host, HostGroup
from cmdb.services.agents import forget_recent
from monitor import losses, metric_store, noted
from monitor.models import HostIntake
from monitor.noted import Notes
from monitor.plausible import Dropped
from monitor.series import Sample
from monitor.store import MetricStore
from tests.factories import make_host, make_user
from tests.monitor.conftest import Reporter
from tests.monitor.prometheus_sender import bearer, token_of
from tests.monitor.test_pages_fleet import names_in
from tests.monitor.test_prometheus_own_metrics import scrape

Signed = Callable[[User], Client]
Batch = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def _quotas_anew() -> Iterator[None]:
    metric_store.plans.cache_clear()
    yield
    metric_store.plans.cache_clear()


def note(host: Host, **found: Any) -> None:
    """Note what was dropped of a report of a host."""
    notes = Notes()
    dropped = Dropped(left_out=found.get("left_out", {}))
    dropped.implausible.update(found.get("implausible", {}))
    notes.note_dropped(host.pk, dropped)
    notes.write()


def lines_of(client: Client, host: Host) -> list[list[str]]:
    """Give the panel of a host: the words of each cell."""
    page = client.get(reverse("monitor:host_state", args=[host.pk])).content
    rows = BeautifulSoup(page, "html.parser").select(
        "[aria-labelledby=losses-title] tbody tr"
    )
    return [[" ".join(cell.text.split()) for cell in row.select("td")] for row in rows]


def test_the_hosts_page_says_what_was_left_out_how_many_by_which_limit_and_what_to_do(
    client_of: Signed, admin: User, reporter: Reporter, batch: Batch, settings: Any
) -> None:
    settings.AGENT_MAX_MOUNTS = 2
    body = batch(1, left_out={"interfaces": 7, "gadgets": 1})
    values = body["samples"][0]["values"]
    values |= {f"fs.used_bytes|/{n}": 1.0 for n in range(5)}
    values["memory.used_bytes"] = 5e18
    reporter.post("metrics", body)
    lines = lines_of(client_of(admin), reporter.host)
    assert [line[:2] for line in lines] == [
        ["gadgets", "1"],
        ["Network interfaces", "7"],
        ["File systems", "3"],
        ["Values that cannot be true: Memory usedmemory.used_bytes", "1"],
    ]
    assert lines[2][4:] == [
        "Raise the limit, or have the host report less.ADMINSET_AGENT_MAX_MOUNTS = 2",
    ]


def test_a_host_that_is_kept_whole_has_no_such_panel(
    client_of: Signed, admin: User, reporter: Reporter, batch: Batch
) -> None:
    reporter.post("metrics", batch(1))
    assert lines_of(client_of(admin), reporter.host) == []


def test_since_when_stays_and_what_did_not_happen_for_long_is_forgotten(
    db: None, measurements: MetricStore, settings: Any
) -> None:
    host = make_host()
    note(host, left_out={"mounts": 3, "disks": 1}, implausible={"load.1": 2})
    row = HostIntake.objects.get()
    row.seen["left_out.mounts"] = [time.time() - 86400, time.time() - 60]
    row.seen["left_out.disks"] = [0, time.time() - 8 * 86400]
    row.save()
    note(host, left_out={"mounts": 5}, implausible={"load.1": 1})
    row = HostIntake.objects.get()
    assert row.left_out == {"mounts": 5}
    assert row.implausible == {"load.1": 3}
    mounts = next(iter(losses.losses_of(host)))
    assert mounts.since is not None
    assert mounts.since.timestamp() == pytest.approx(time.time() - 86400, abs=5)
    settings.LEFT_OUT_DAYS = -1
    assert losses.losses_of(host) == []


def test_a_host_cannot_fill_the_table_with_kinds_of_its_own(db: None) -> None:
    host = make_host()
    for n in range(5):
        note(host, left_out={f"kind {n} {i}": 1 for i in range(32)})
    assert len(HostIntake.objects.get().left_out) == noted.KINDS_COUNTED


def test_a_clock_that_is_put_right_is_told_until_it_is_set(
    client_of: Signed, admin: User, reporter: Reporter, batch: Batch
) -> None:
    body = batch(1)
    body["sent_at"] += 120
    body["samples"][0]["time"] += 120
    assert reporter.post("metrics", body).status_code == 200
    client = client_of(admin)
    (line,) = lines_of(client, reporter.host)
    assert line[0].startswith("The host's clock is ahead")
    assert line[1] == "120"
    assert "AGENT_CLOCK_TOLERANCE_SECONDS" in line[4]
    Agent.objects.update(clock_offset_seconds=0.2)
    assert lines_of(client, reporter.host) == []
    Agent.objects.update(clock_offset_seconds=120, boot_id="b2")
    assert lines_of(client, reporter.host) == []


def test_custom_series_beyond_the_limit_are_told_of_agents_and_of_a_prometheus(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    host = make_host()
    measurements._writer._custom._limit = 2
    values = {f"custom.jobs|id={n}": 1.0 for n in range(5)}
    measurements.write(host.pk, [Sample(time.time(), values)])
    (line,) = lines_of(client_of(admin), host)
    assert line[0].startswith("Series of custom metricscustom.jobs|id=")
    assert line[1] == "3"
    assert losses.overflowing() == {host.pk}


def test_the_coverage_page_lists_hosts_in_scope_with_something_left_out(
    client_of: Signed, operator: User, group: HostGroup, measurements: MetricStore
) -> None:
    mine, other, fine = (
        make_host("mine", groups=[group]),
        make_host("other"),
        make_host("fine", groups=[group]),
    )
    note(mine, left_out={"mounts": 3})
    note(other, left_out={"mounts": 4})
    page = client_of(operator).get(reverse("monitor:coverage"), {"kind": "left_out"})
    assert names_in(page.content) == ["mine"]
    assert b"File systems: 3" in page.content
    assert b"ADMINSET_AGENT_MAX_MOUNTS" in page.content
    assert fine.hostname.encode() not in page.content


def test_the_list_costs_the_same_for_two_hosts_and_for_twelve(
    client_of: Signed, admin: User, measurements: MetricStore
) -> None:
    client, counts = client_of(admin), []
    for many in (2, 10):
        for _ in range(many):
            note(make_host(), left_out={"mounts": 3})
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("monitor:coverage"), {"kind": "left_out"})
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_portals_own_measurements_count_it(
    reporter: Reporter, batch: Batch, settings: Any
) -> None:
    settings.AGENT_MAX_MOUNTS = 1
    user = make_user("prometheus", perms=["monitor.view_portalmetrics"])
    headers = bearer(token_of(user, can_write=False))
    before = scrape(headers)
    body = batch(1, left_out={"<gadgets>": 2})
    body["samples"][0]["values"] |= {f"fs.used_bytes|/{n}": 1.0 for n in range(3)}
    forget_recent()
    reporter.post("metrics", body)
    found = scrape(headers)

    def grown(kind: str) -> float:
        key = ("adminset_agent_left_out_total", (kind,))
        return found.get(key, 0) - before.get(key, 0)

    assert (grown("mounts"), grown("other"), grown("<gadgets>")) == (2, 2, 0)
    assert found["adminset_hosts_left_out", ("reports",)] == 1
    assert found["adminset_hosts_left_out", ("clock",)] == 0
    assert found["adminset_hosts_left_out", ("custom_series",)] == 0


def test_samples_beyond_those_of_an_hour_are_told(
    reporter: Reporter, measurements: MetricStore, batch: Batch
) -> None:
    measurements._writer._hours._most = lambda _host: 2
    body = batch(4)
    for n, sample in enumerate(body["samples"]):
        sample["time"] = body["sent_at"] - n / 1000
    reporter.post("metrics", body)
    loss = next(iter(losses.losses_of(reporter.host)))
    assert (loss.setting, loss.count) == ("ADMINSET_METRICS_HOUR_SAMPLES", 2)

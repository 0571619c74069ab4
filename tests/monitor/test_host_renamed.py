"""A host that is called something else from now on: its measurements stay its own, before and after, on every page."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminset.models import AuditEntry
from cmdb.models import Agent, Host
from monitor.store import MetricStore
from tests.factories import make_host
from tests.monitor.conftest import IDENTITY, Reporter, busy_lines

Batch = Callable[..., dict[str, Any]]
Signed = Callable[[User], Client]


def _facts(reporter: Reporter, hostname: str) -> Any:
    body = {
        "boot_id": "b1",
        "sent_at": time.time(),
        "identity": IDENTITY,
        "facts": {"hostname": hostname},
    }
    return reporter.post("facts", body)


def _earlier(body: dict[str, Any]) -> dict[str, Any]:
    for sample in body["samples"]:
        sample["time"] -= 120
    return body


@pytest.mark.parametrize("by", ["its own report", "somebody in the portal"])
def test_its_measurements_go_on_under_the_new_name(
    reporter: Reporter,
    measurements: MetricStore,
    batch: Batch,
    client_of: Signed,
    admin: User,
    by: str,
) -> None:
    assert _facts(reporter, "web1").status_code == 200
    reporter.post("metrics", _earlier(batch(2)))
    client = client_of(admin)
    if by == "its own report":
        assert _facts(reporter, "renamed").json()["status"] == "changed"
    else:
        path = f"/api/v1/hosts/{reporter.host.pk}/"
        changed = {"hostname": "renamed"}
        answer = client.patch(path, changed, content_type="application/json")
        assert answer.status_code == 200
    reporter.post("metrics", batch(2, first_seq=3))
    host = Host.objects.get()
    assert (host.pk, host.hostname) == (reporter.host.pk, "renamed")
    assert Agent.objects.get().host == host
    assert AuditEntry.objects.filter(
        target_id=str(host.pk), changes__icontains="renamed"
    ).exists()
    assert len(busy_lines(measurements, host.pk)) == 4
    fleet = BeautifulSoup(client.get(reverse("monitor:fleet")).content, "html.parser")
    (row,) = fleet.select("table.fleet tbody tr")
    assert row.select_one("td.first a").text == "renamed"
    assert "11 %" in row.text
    data = client.get(reverse("monitor:host_charts", args=[host.pk])).json()
    line = data["charts"]["cpu"]["series"][0]["average"]
    assert [value for value in line if value is not None] == [10, 11, 10, 11]


def test_a_name_that_another_host_gave_up_brings_nobody_elses_measurements(
    reporter: Reporter, measurements: MetricStore, batch: Batch
) -> None:
    reporter.post("metrics", _earlier(batch(2)))
    assert _facts(reporter, "renamed").status_code == 200
    newcomer = make_host("web1")
    reporter.post("metrics", batch(1, first_seq=3))
    assert busy_lines(measurements, newcomer.pk) == []
    assert len(busy_lines(measurements, reporter.host.pk)) == 3

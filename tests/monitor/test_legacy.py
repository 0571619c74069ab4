"""Measurements of AdminSet's agents: stored as ours are where the machine is let in, dropped otherwise."""

import json
import time
from typing import Any

import pytest

from cmdb.models import Agent, Host
from cmdb.services import admission
from monitor import legacy, metric_store
from monitor.store import MetricStore
from tests.cmdb.test_legacy import TOKEN, post, report
from tests.factories import make_host, make_user

pytestmark = pytest.mark.django_db
PATH = "/monitor/received/sys/info/"
DONE = "Post the system Monitor Data successfully!"


def measured(**values: Any) -> dict[str, Any]:
    """What the agent of AdminSet 0.56 sends."""
    return {
        "token": TOKEN,
        "hostname": "old-1",
        "cpu": {
            "percent": 12.5,
            "lcpu_percent": [10.0, 15.0],
            "user": 8.0,
            "idle": 87.5,
        },
        "mem": {"total": 1024, "percent": 50.0, "used": 512, "available": 512},
        "disk": [
            {"mountpoint": "/", "total": 20, "free": 5, "used": 15, "percent": 75.0}
        ],
        "net": [{"nic_name": "eth0", "traffic_in": 2, "traffic_out": 1.5}],
        **values,
    }


@pytest.fixture
def host(client: Any, settings: Any, measurements: MetricStore) -> Host:
    """A machine with an old agent that was let in."""
    settings.LEGACY_AGENTS, settings.LEGACY_TOKEN = True, TOKEN
    assert post(client, report())[0] == 200
    admin = make_user("admin", is_superuser=True)
    return admission.admit(actor=admin, agent=Agent.objects.get())


def _last(store: MetricStore, host: Host) -> dict[str, float]:
    now = time.time()
    names = [name for name, _value in legacy.measurements(measured())]
    found = store.series(host.pk, names, now - 600, now + 60).series
    return {
        name: [v for v in line.average if v is not None][-1]
        for name, line in found.items()
    }


def test_measurements_are_stored_under_the_machines_host(
    client: Any, host: Host, measurements: MetricStore
) -> None:
    assert post(client, measured(), PATH) == (200, DONE)
    found = _last(measurements, host)
    assert found["cpu.busy_percent"] == 12.5
    assert found["cpu.core_busy_percent|1"] == 15.0
    assert found["memory.total_bytes"] == 2**30
    assert found["fs.used_percent|/"] == 75.0
    assert found["fs.total_bytes|/"] == 20 * 2**30
    assert found["net.received_bytes_per_second|eth0"] == 2048
    agent = Agent.objects.get()
    assert agent.last_seen_at is not None


def test_a_host_of_the_same_name_gets_nothing(
    client: Any, settings: Any, measurements: MetricStore
) -> None:
    settings.LEGACY_AGENTS, settings.LEGACY_TOKEN = True, TOKEN
    mine = make_host("old-1", address="127.0.0.1")
    assert post(client, measured(), PATH) == (200, DONE)
    assert post(client, report())[0] == 200
    assert post(client, measured(), PATH) == (200, DONE)
    assert _last(measurements, mine) == {}


def test_two_machines_of_one_name_are_told_apart_by_their_address(
    client: Any, host: Host, measurements: MetricStore
) -> None:
    post(client, report(sn="OTHER-2"))
    other = Agent.objects.waiting().get()
    admission.admit(actor=make_user("two", is_superuser=True), agent=other)
    post(client, measured(), PATH)
    assert _last(measurements, host) == {}
    Agent.objects.filter(pk=other.pk).update(address="192.0.2.9")
    post(client, measured(), PATH)
    assert _last(measurements, host)["cpu.busy_percent"] == 12.5


@pytest.mark.parametrize(
    "values",
    [
        {"cpu": {}},
        {"cpu": None},
        {"mem": []},
        {"disk": "x"},
        {"net": [{}]},
        {"disk": [{"mountpoint": "", "total": 1, "free": 1, "used": 1, "percent": 1}]},
        {"cpu": {"percent": "many"}},
    ],
)
def test_what_cannot_be_read_is_400(
    client: Any, host: Host, measurements: MetricStore, values: dict[str, Any]
) -> None:
    assert post(client, measured(**values), PATH)[0] == 400
    assert _last(measurements, host) == {}


def test_numbers_beyond_all_measure_are_refused(
    client: Any, host: Host, measurements: MetricStore
) -> None:
    nan = json.dumps(measured()).replace("12.5", "NaN").encode()
    assert post(client, nan, PATH)[0] == 400
    huge = measured(cpu={"percent": 1e300})
    assert 400 <= post(client, huge, PATH)[0] < 500
    assert _last(measurements, host) == {}


def test_a_store_that_is_away_is_said(client: Any, host: Host, settings: Any) -> None:
    metric_store.store.cache_clear()
    settings.MONGO_URL = "mongodb://127.0.0.1:9/"
    status, _words = post(client, measured(), PATH)
    assert status == 503

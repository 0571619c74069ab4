"""Checks that read what the host's agent sent: processes, units, ports; what is not known is said so."""

import time
from typing import Any

import pytest

from cmdb.models import Host
from monitor.checks import agent_probes
from monitor.checks.probes import probe
from monitor.models import ServiceCheck
from monitor.store import MetricStore, StoreUnavailable
from monitor.tables_of_hosts import Table
from tests.factories import make_host

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(measurements: MetricStore) -> Host:
    return make_host("web1")


def sent(host: Host, name: str, rows: list[list[Any]], **more: Any) -> None:
    columns = {
        "processes": ["pid", "name"],
        "units": ["name", "active"],
        "ports": ["protocol", "port", "process"],
    }[name]
    fields = {"time": time.time(), "left_out": 0, **more}
    table = Table(name=name, columns=columns, rows=rows, **fields)
    agent_probes.store().keep_tables(host.pk, [table])


def state_of(host: Host | None, **fields: Any) -> str:
    return probe(ServiceCheck(host=host, **fields)).state


def test_a_process_that_the_agent_names_is_up(host: Host) -> None:
    sent(host, "processes", [[1, "systemd"], [77, "nginx"]])
    assert state_of(host, kind="process", process="nginx") == "up"
    assert state_of(host, kind="process", process="mysqld") == "down"


def test_what_is_not_among_the_busiest_may_still_run(host: Host) -> None:
    sent(host, "processes", [[1, "systemd"]], left_out=200)
    assert state_of(host, kind="process", process="crond") == "unknown"
    sent(host, "ports", [["tcp", 5432, "postgres"]])
    assert state_of(host, kind="process", process="postgres") == "up"


@pytest.mark.parametrize(
    ("active", "state"), [("active", "up"), ("failed", "down"), ("inactive", "down")]
)
def test_a_unit_says_itself_how_it_is(host: Host, active: str, state: str) -> None:
    sent(host, "processes", [[1, "systemd"]], left_out=200)
    sent(host, "units", [["nginx.service", active]])
    assert state_of(host, kind="process", process="nginx") == state
    assert state_of(host, kind="process", process="nginx.service") == state


def test_a_port_listens_or_does_not(host: Host) -> None:
    sent(host, "ports", [["tcp", 22, "sshd"]])
    assert state_of(host, kind="port", port=22) == "up"
    assert state_of(host, kind="port", port=80) == "down"


def test_an_agent_that_is_silent_makes_nothing_down(host: Host) -> None:
    assert state_of(host, kind="port", port=22) == "unknown"
    sent(host, "ports", [["tcp", 22, "sshd"]], time=time.time() - 3600)
    assert state_of(host, kind="port", port=80) == "unknown"
    assert state_of(None, kind="port", port=80) == "unknown"


def test_a_store_that_is_away_makes_nothing_down(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dead:
        def read_tables(self, host_id: int) -> None:
            raise StoreUnavailable("test")

    monkeypatch.setattr(agent_probes, "store", Dead)
    assert state_of(host, kind="process", process="nginx") == "unknown"

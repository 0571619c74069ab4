"""Many hosts in one query: each answers as it does alone, wherever its series lie, and the store is asked a few times only."""

import time
from typing import Any

import pytest
from pymongo.collection import Collection

from cmdb.models import Host, HostGroup
from monitor.metric_store import store
from monitor.prometheus.lanes import lane_of
from monitor.series import Sample
from monitor.store import MetricStore
from tests.factories import make_host, make_user
from tests.monitor.prometheus_sender import ask, bearer, token_of

HOSTS = 45
QUERIES = (
    "rate(node_bytes[2m])",
    "max_over_time(adminset_cpu_busy_percent[1m])",
    'adminset_fs_used_percent{mount!="/"}',
    "increase(adminset_fs_used_percent[5m])",
    '{job="node"}',
)


@pytest.fixture
def now() -> int:
    return round(time.time())


@pytest.fixture
def looker(db: None) -> dict[str, str]:
    """The header of a token that may look at all measurements."""
    user = make_user("grafana", perms=["monitor.view_metrics", "cmdb.view_hostgroup"])
    return bearer(token_of(user, can_write=False))


@pytest.fixture
def fleet(measurements: MetricStore, group: HostGroup, now: int) -> list[Host]:
    """Hosts with an agent's values; of node_bytes some come from the agent, some from a Prometheus, some not at all."""
    hosts = [make_host(f"h{n:02d}", groups=[group]) for n in range(HOSTS)]
    batches: dict[int, list[Sample]] = {}
    name = "custom.node_bytes|job=node"
    for n, host in enumerate(hosts[:-1]):
        moments = [now - 900 + 15 * i for i in range(60) if i % 13]
        written = [Sample(t, {name: float((t + n) % 300)}) for t in moments]
        batches[host.pk] = [
            Sample(t, {"cpu.busy_percent": float(n + t % 7), **_disks(n, t)})
            for t in moments
        ]
        if n % 3 == 1:
            batches[lane_of(host.pk, name)] = written
        if n % 3 == 2:
            batches[host.pk] += [Sample(s.time + 1, s.values) for s in written]
    measurements.write_many(batches)
    return hosts


def _disks(n: int, moment: int) -> dict[str, float]:
    """Give two file systems, one of which comes and goes."""
    made = {"fs.used_percent|/": float(n)}
    if moment // 120 % 2:
        made["fs.used_percent|/tmp"] = float(moment % 100)
    return made


@pytest.mark.parametrize("query", QUERIES)
def test_hosts_answer_together_as_each_does_alone(
    fleet: list[Host],
    looker: dict[str, str],
    now: int,
    query: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = {"start": now - 800, "end": now, "step": 20}
    calls: list[str] = []
    find = Collection.find

    def counted(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(self.name)
        return find(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Collection, "find", counted)
        found = ask("query_range", looker, query=query, **asked).said["data"]["result"]
    assert found
    # A host has nine keys, of which a query of one metric reads two; alone, each costs several calls.
    assert len(calls) < HOSTS * (9 if "job" in query else 2)
    alone = []
    for host in fleet[::7]:
        own = _of_host(query, host.hostname)
        alone += ask("query_range", looker, query=own, **asked).said["data"]["result"]
    names = {host.hostname for host in fleet[::7]}
    assert [each for each in found if each["metric"]["host"] in names] == alone
    assert all(each["metric"]["host"] != fleet[-1].hostname for each in found)


def _of_host(query: str, name: str) -> str:
    """Narrow a query to a host."""
    if "{" in query:
        return query.replace("{", f'{{host="{name}",')
    return query.replace("[", f'{{host="{name}"}}[')


def test_series_of_many_hosts_are_listed(
    fleet: list[Host], looker: dict[str, str]
) -> None:
    listed = ask("series", looker, **{"match[]": "node_bytes"}).said["data"]
    with_it = [host.hostname for n, host in enumerate(fleet[:-1]) if n % 3]
    assert sorted(each["host"] for each in listed) == with_it
    assert store().hosts()

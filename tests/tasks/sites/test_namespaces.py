"""Two sites in networks of their own: each worker reaches only its own hosts, and sends their output home."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from adminset.launch import site_worker
from tests.services import valkey_binary, wait_for_port
from tests.tasks.portal_things import ROOT, Portal, kill, wait_until
from tests.tasks.sites.namespaces import FarmInside, Namespace, why_not

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(bool(why_not()), reason=why_not() or "-"),
]
SITES = {"bj": 11, "sh": 12}
PREPARE = """
from cmdb.models import Host, Idc
from tasks.models import Site
for code in given["codes"]:
    idc = Idc.objects.create(name=code, code=code)
    Site.objects.create(idc=idc, how="workers")
    Host.objects.filter(hostname__startswith=code).update(idc=idc)
"""
LOOK = "from tasks.tasks import look_at_sites, reap_runs; look_at_sites(); reap_runs()"
# As if a minute had gone by since the worker was seen.
FORGET = "from adminset import redis_door; redis_door.client().delete('adminset:run-workers:' + given['queue'])"
WHY = """
from tasks.models import Run
from tasks.services.waiting import why_waiting
print(why_waiting(Run.objects.get(pk=given["pk"])))
"""
KEY = """
from cmdb.models import Host
from tasks.services.hostkeys import read_host_key
host = Host.objects.get(hostname=given["name"])
print(json.dumps([read_host_key(host=host).public, host.host_key]))
"""
HAS_STATION = """
from tasks.sites.relay_wire import has_station
print(has_station(given["queue"]))
"""
FILES = """
from cmdb.models import Host
from tasks.hostfiles.door import files_of
host = Host.objects.select_related("credential", "idc").get(hostname=given["name"])
with files_of(host) as files:
    print(files.home().decode(), files.connection.target.queue)
"""


class SitesPortal(Portal):
    """A portal whose Redis is reached from the namespaces; workers stand there, with folders of their own."""

    def start_redis(self) -> None:
        """Start a Redis that listens everywhere."""
        arguments = ["--port", str(self.port), "--protected-mode", "no", "--save", ""]
        self.redis = subprocess.Popen(
            [valkey_binary(), *arguments, "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self.redis)

    def data_of(self, code: str) -> Path:
        """Name the data directory of a site's worker."""
        return self.folder / f"worker-{code}"

    def start_at(self, code: str, namespace: Namespace) -> subprocess.Popen[bytes]:
        """Start the worker of a site as `make worker` does, in its network; its keys are the portal's."""
        data = self.data_of(code)
        keys = self.folder / "secrets"
        shutil.copytree(keys, data / "secrets", dirs_exist_ok=True)
        own = {
            "ADMINSET_DATA_DIR": str(data),
            "REDIS_URL": f"redis://{namespace.outside}:{self.port}/0",
            site_worker.SENDS: "1",
        }
        command = site_worker.command(Path(sys.executable), f"idc.{code}", 1)
        worker = namespace.do(
            lambda: subprocess.Popen(
                command, cwd=ROOT, env=self.env | own, start_new_session=True
            )
        )
        self.workers.append(worker)
        return worker

    def ended(self, pk: int, *names: str) -> bool:
        """Look at the sites and say whether these hosts of a run ended well."""
        self.do(LOOK)
        hosts = self.tell(pk)["hosts"]
        return all(hosts[name] == "ok" for name in names)

    def told_of(self, pk: int) -> dict[str, Any]:
        """Tell of a run that ended well, with the output that came last."""
        self.until(pk, "ok")
        self.do(LOOK)
        return self.tell(pk)


@pytest.fixture
def networks() -> Iterator[dict[str, Namespace]]:
    made: dict[str, Namespace] = {}
    try:
        for code, number in SITES.items():
            made[code] = Namespace(number)
        yield made
    finally:
        for namespace in made.values():
            namespace.close()


@pytest.fixture
def farms(networks: dict[str, Namespace], tmp_path: Path) -> Iterator[dict[str, Any]]:
    made = {code: FarmInside(networks[code], code, tmp_path / code) for code in SITES}
    try:
        for code, farm in made.items():
            networks[code].do(farm.__enter__)
        made["sh"].authorize(made["bj"].client_key)
        yield made
    finally:
        for farm in made.values():
            farm.stop()


@pytest.fixture
def portal(tmp_path: Path, farms: dict[str, Any]) -> Iterator[SitesPortal]:
    every = SimpleNamespace(
        hosts=[host for farm in farms.values() for host in farm.hosts],
        user=farms["bj"].user,
        client_key=farms["bj"].client_key,
    )
    (tmp_path / "portal").mkdir()
    made = SitesPortal(tmp_path / "portal", every)  # type: ignore[arg-type]
    made.do(PREPARE, codes=list(SITES))
    yield made
    made.stop()


def reaches(namespace: Namespace, host: Any) -> bool:
    def connect() -> bool:
        try:
            socket.create_connection((host.address, host.port), 1).close()
        except OSError:
            return False
        return True

    return namespace.do(connect)


def test_each_worker_reaches_only_its_own_hosts_and_one_that_dies_holds_up_no_other(
    portal: SitesPortal, networks: dict[str, Namespace], farms: dict[str, Any]
) -> None:
    for code, other in (("bj", "sh"), ("sh", "bj")):
        assert reaches(networks[code], farms[code].hosts[1])
        assert not reaches(networks[code], farms[other].hosts[1])
    workers = {code: portal.start_at(code, networks[code]) for code in SITES}
    command = "set -- $SSH_CONNECTION; echo on $3; sleep 1; echo whole"
    pk = portal.launch(command=command)
    names = ("bj1", "bj2", "sh1", "sh2")
    wait_until(lambda: portal.ended(pk, *names))
    told = portal.told_of(pk)
    for name in names:
        number = SITES[name[:2]]
        assert told["output"][name] == f"on 10.202.{number}.{name[2]}\nwhole\n"
    assert sorted(
        worker.split(".")[1] for _status, worker, _losses in told["parts"]
    ) == ["bj", "sh"]
    for code in SITES:
        # Each machine holds what its own hosts brought, and nothing else.
        files = list((portal.data_of(code) / "runs" / str(pk)).glob("*.log"))
        texts = [path.read_text() for path in files]
        assert len(texts) == 2
        assert all(f"on 10.202.{SITES[code]}." in text for text in texts)
    # The key of a host there is read by the worker there: the portal itself does not reach it.
    offered, accepted = json.loads(portal.do(KEY, name="sh1"))
    assert offered == accepted
    # So are its files, by SSH from the portal through that worker.
    home = Path("~").expanduser()
    wait_until(lambda: portal.do(HAS_STATION, queue="idc.sh") == "True")
    assert portal.do(FILES, name="sh1") == f"{home} idc.sh"
    assert farms["sh"].hosts[0].children()

    kill(workers["sh"])
    wait_until(lambda: not farms["sh"].hosts[0].children())
    pk = portal.launch(command=command)
    wait_until(lambda: portal.ended(pk, "bj1", "bj2"))
    portal.do(FORGET, queue="idc.sh")
    portal.do(LOOK)
    told = portal.tell(pk)
    assert (told["status"], told["hosts"]["sh1"]) == ("running", "not_started")
    why = portal.do(WHY, pk=pk)
    assert "No worker serves queue idc.sh since " in why
    assert "It waits for one: make worker QUEUES=idc.sh" in why
    portal.start_at("sh", networks["sh"])
    wait_until(lambda: portal.ended(pk, *names))
    assert portal.told_of(pk)["output"]["sh2"].endswith("whole\n")

"""A real Celery worker on real Redis and a database file: it does a run; killed, its run is found by the next one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from tests.farm import SshFarm

ROOT = Path(__file__).resolve().parent.parent.parent
PREPARE = """
from accounts.models import User
from cmdb.models import Credential, Host
user = User.objects.create_superuser("admin", "x")
credential = Credential.objects.create(name="farm", username=given["user"], private_key=given["key"])
for name, address, port, key in given["hosts"]:
    Host.objects.create(hostname=name, address=address, ssh_port=port, host_key=key, credential=credential)
"""
LAUNCH = """
from accounts.models import User
from cmdb.models import Host
from tasks.services.launch import RunSpec
from tasks.tasks import enqueue_run
ids = tuple(Host.objects.values_list("pk", flat=True))
spec = RunSpec(command=given["command"], host_ids=ids, timeout_seconds=60)
print(enqueue_run(actor=User.objects.get(), spec=spec).pk)
"""
WAIT = """
import time
from tasks.models import Run
until = time.monotonic() + 30
while (run := Run.objects.get(pk=given["pk"])).status not in given["status"] and time.monotonic() < until:
    time.sleep(0.1)
print(json.dumps({"status": run.status, "explanation": run.explanation, "worker": run.worker}))
"""
REAP = "from tasks.tasks import reap_runs; reap_runs.delay()"


class Portal:
    """A portal of its own: database, data directory, a database of the test's Redis."""

    def __init__(self, folder: Path) -> None:
        own = {
            "ADMINSET_DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "REDIS_URL": settings.REDIS_URL.rsplit("/", 1)[0] + "/7",
            "ADMINSET_RUN_LEASE_SECONDS": "3",
            "DJANGO_SETTINGS_MODULE": "adminset.settings",
        }
        self.env = {**os.environ, **own}
        self.workers: list[subprocess.Popen[bytes]] = []
        self._manage("migrate", "-v0")

    def _manage(self, *words: str) -> str:
        command = [sys.executable, "manage.py", *words]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    def do(self, code: str, **given: object) -> str:
        """Run code in the portal with `given` at hand."""
        head = f"import json\ngiven = json.loads({json.dumps(given)!r})\n"
        return self._manage("shell", "-v0", "-c", head + code).strip()

    def start_worker(self, name: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "adminset",
            "worker",
            "-c2",
            "-n",
            name,
            "-Qruns,adminset",
            "-lwarning",
        ]
        worker = subprocess.Popen(
            command, cwd=ROOT, env=self.env, start_new_session=True
        )
        self.workers.append(worker)
        return worker

    def stop(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
                worker.wait()


@pytest.fixture
def portal(tmp_path: Path, three_servers: SshFarm) -> Iterator[Portal]:
    made = Portal(tmp_path)
    hosts = [
        (host.name, host.address, host.port, host.host_key)
        for host in three_servers.hosts
    ]
    made.do(
        PREPARE,
        user=three_servers.user,
        key=three_servers.client_key.read_text(),
        hosts=hosts,
    )
    yield made
    made.stop()


def test_a_worker_does_a_run_and_another_finds_what_a_killed_one_left(
    portal: Portal,
) -> None:
    first = portal.start_worker("first@test")
    quick = int(portal.do(LAUNCH, command="uname -a"))
    told = json.loads(portal.do(WAIT, pk=quick, status=["ok", "failed", "lost"]))
    assert told == {
        "status": "ok",
        "explanation": "3 hosts: 3 ok.",
        "worker": "first@test",
    }

    slow = int(portal.do(LAUNCH, command="sleep 30"))
    assert (
        json.loads(portal.do(WAIT, pk=slow, status=["running"]))["status"] == "running"
    )
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    portal.start_worker("second@test")
    until_lost = ""
    for _attempt in range(10):
        portal.do(REAP)
        until_lost = portal.do(
            "from tasks.models import Run; print(Run.objects.get(pk=given['pk']).explanation)",
            pk=slow,
        )
        if until_lost:
            break
    assert "Worker first@test stopped at" in until_lost
    assert "hosts done 0 of 3" in until_lost

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

from tests import template
from tests.farm import SshFarm

ROOT = Path(__file__).resolve().parent.parent.parent
# One process of the portal that does what it is told line by line: each start of Django would cost two seconds.
DRIVER = """
import contextlib, io, json, sys
import django
django.setup()
for line in sys.stdin:
    code, given = json.loads(line)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(code, {"given": given, "json": json})
    print(json.dumps(said.getvalue().strip()), flush=True)
"""
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
REAP_UNTIL_LOST = """
import time
from tasks.models import Run
from tasks.tasks import reap_runs
until = time.monotonic() + 60
while not Run.objects.get(pk=given["pk"]).explanation and time.monotonic() < until:
    reap_runs.delay()
    time.sleep(1)
"""


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
        template.copy_to(folder / "db.sqlite3")
        self._driver = subprocess.Popen(
            [sys.executable, "-c", DRIVER],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def do(self, code: str, **given: object) -> str:
        """Run code in the portal with `given` at hand; what it printed comes back."""
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps([code, given]) + "\n")
        self._driver.stdin.flush()
        said = self._driver.stdout.readline()
        assert said, "it failed; its last words stand above"
        return str(json.loads(said))

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
        self._driver.communicate(timeout=20)
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


@pytest.mark.timeout(180)
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
    portal.do(REAP_UNTIL_LOST, pk=slow)
    until_lost = portal.do(
        "from tasks.models import Run; print(Run.objects.get(pk=given['pk']).explanation)",
        pk=slow,
    )
    assert "Worker first@test stopped at" in until_lost
    assert "hosts done 0 of 3" in until_lost

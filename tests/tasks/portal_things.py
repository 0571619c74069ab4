"""A portal of its own for tests that kill its parts: database file, Redis, real Celery workers, real sshd servers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests import template
from tests.farm import SshFarm
from tests.services import free_port, valkey_binary, wait_for_port

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
from tasks.models import Playbook
from tasks.services.launch import RunSpec
from tasks.tasks import enqueue_run
ids = tuple(Host.objects.values_list("pk", flat=True))
spec = RunSpec(**{"host_ids": ids, "timeout_seconds": 60} | given)
print(enqueue_run(actor=User.objects.get(), spec=spec).pk)
"""
TELL = """
from tasks.models import Run
run = Run.objects.get(pk=given["pk"])
hosts = {row.host_name: row.status for row in run.hosts.all()}
output = {}
from tasks.output import path_of
for row in run.hosts.all():
    path = path_of(run.pk, row.pk)
    output[row.host_name] = path.read_text() if path.exists() else ""
parts = [[part.status, part.worker, part.losses] for part in run.parts.all()]
print(json.dumps({"status": run.status, "explanation": run.explanation, "hosts": hosts, "output": output, "parts": parts}))
"""
REAP = "from tasks.tasks import reap_runs; reap_runs()"
FORGET_MESSAGES = """
from datetime import timedelta
from django.utils import timezone
from tasks.models import RunPart
RunPart.objects.update(sent_at=timezone.now() - timedelta(seconds=20))
"""


class Driver:
    """One process of the portal that does what it is told, as the web does."""

    def __init__(self, env: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, code: str, **given: object) -> None:
        """Give it code to run, with `given` at hand."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([code, given]) + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        """Give what the code printed."""
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        assert said, "it failed; its last words stand above"
        return str(json.loads(said))

    def stop(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.communicate(timeout=20)


class Portal:
    """A portal of its own; `hosts` of the farm are its hosts, with a file each that counts what ran there."""

    def __init__(self, folder: Path, farm: SshFarm) -> None:
        self.folder = folder
        self.counts = folder / "counts"
        self.counts.mkdir()
        self.port = free_port()
        self.names = {str(host.port): host.name for host in farm.hosts}
        self.redis: subprocess.Popen[bytes] | None = None
        self.start_redis()
        own = {
            "ADMINSET_DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "REDIS_URL": f"redis://127.0.0.1:{self.port}/0",
            "ADMINSET_RUN_LEASE_SECONDS": "3",
            "ADMINSET_RUN_RENEW_SECONDS": "1",
            "DJANGO_SETTINGS_MODULE": "adminset.settings",
        }
        self.env = {**os.environ, **own}
        self.workers: list[subprocess.Popen[bytes]] = []
        template.copy_to(folder / "db.sqlite3")
        self.driver = Driver(self.env)
        hosts = [(h.name, h.address, h.port, h.host_key) for h in farm.hosts]
        key = farm.client_key.read_text()
        self.do(PREPARE, user=farm.user, key=key, hosts=hosts)

    def do(self, code: str, **given: object) -> str:
        """Run code in the portal with `given` at hand; what it printed comes back."""
        self.driver.ask(code, **given)
        return self.driver.answer()

    def launch(self, **wanted: object) -> int:
        """Ask for a run on all hosts."""
        return int(self.do(LAUNCH, **wanted))

    def tell(self, pk: int) -> dict[str, Any]:
        """Say how a run stands: status, explanation, hosts, output, parts."""
        return dict(json.loads(self.do(TELL, pk=pk)))

    def until(self, pk: int, *statuses: str, reaping: bool = False) -> dict[str, Any]:
        """Wait for a status of a run; `reaping` does what beat has done each ten seconds."""

        def there() -> bool:
            if reaping:
                self.do(REAP)
            return self.tell(pk)["status"] in statuses

        wait_until(there)
        return self.tell(pk)

    @property
    def gate(self) -> Path:
        """The file for which the commands of `counting` wait."""
        return self.folder / "go"

    def counting(self) -> str:
        """Give a command that counts itself on its host, waits for the gate, and says when it begins and ends."""
        name = f"{self.counts}/$4"
        wait = f"while [ ! -e {self.gate} ]; do sleep 0.1; done"
        return (
            f"set -- $SSH_CONNECTION; echo once >> {name}; echo begin; {wait}; echo end"
        )

    def counted(self) -> dict[str, int]:
        """Say how often the command of `counting` began, by host."""
        return {
            self.names[path.name]: path.read_text().count("once")
            for path in self.counts.iterdir()
        }

    def start_worker(self, name: str) -> subprocess.Popen[bytes]:
        """Start a worker with two processes, for runs and for short tasks."""
        words = ["-m", "celery", "-q", "-A", "adminset", "worker", "-c2", "-n", name]
        worker = subprocess.Popen(
            [sys.executable, *words, "-Qruns,adminset", "-lwarning"],
            cwd=ROOT,
            env=self.env,
            start_new_session=True,
        )
        self.workers.append(worker)
        return worker

    def start_redis(self) -> None:
        """Start Redis with what was kept of its data."""
        arguments = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
        arguments += ["--appendonly", "yes", "--appendfsync", "always"]
        self.redis = subprocess.Popen(
            [valkey_binary(), *arguments, "--dir", str(self.folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self.redis)

    def kill_redis(self, *, keep: bool = False) -> None:
        """Kill Redis; what it knew is gone, unless it is to be kept."""
        assert self.redis is not None
        self.redis.kill()
        self.redis.wait()
        if not keep:
            shutil.rmtree(self.folder / "appendonlydir", ignore_errors=True)

    def stop(self) -> None:
        """End all."""
        self.gate.touch()
        self.driver.stop()
        for worker in self.workers:
            kill(worker)
        self.kill_redis()


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its group, without a word."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(happens: Callable[[], object], seconds: float = 120) -> None:
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.1)

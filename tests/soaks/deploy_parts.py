"""The last part of `make soak deploys`: a portal whose parts are processes, and each of them killed in the middle of a deploy.

The database is taken away for ADMINSET_SOAK_AWAY (30) seconds. The deploy ends well, its hook ran once, and going back works.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.figures import Figure
from tests.farm import SshFarm
from tests.soaks import faults
from tests.soaks.record import say, workplace
from tests.soaks.releases import is_whole, live_of
from tests.tasks.fault_parts import WholePortal
from tests.tasks.portal_things import ROOT, wait_until

LONGEST = 300
QUEUES = "runs,adminset,delivery,urgent,questions"
PARTS = (
    faults.worker,
    faults.child,
    faults.beat,
    faults.redis_with_data,
    faults.redis_without_data,
    faults.web,
    faults.database,
)
# Whose death lets a leg begin anew on the host: its programs may run twice.
BEGIN_ANEW = (faults.worker, faults.child)
PREPARE = """
from accounts.models import User
from cmdb.models import Host
from delivery.models import Pipeline
from tests.app_factories import make_environment, make_project
project = make_project("shop", deploy_path=given["root"])
make_environment(project, "live", hosts=list(Host.objects.all()), by=User.objects.get())
Pipeline.objects.create(project=project, name="main", timeout_seconds=120, restart=given["restart"])
"""
ASK = """
from pathlib import Path
from accounts.models import User
from appconf.models import Environment
from delivery.models import Artefact, Pipeline
from tests.delivery.engine.deploy_things import Stage
stage = Stage(User.objects.get(), Pipeline.objects.get(), Environment.objects.get(), [], {}, Path(given["folder"]))
print(stage.ask(stage.artefact(f"release {Artefact.objects.count() + 1}")).pk)
"""
BACK = """
from accounts.models import User
from appconf.models import Environment
from delivery.engine.rolling_back import request_rollback
from delivery.models import Pipeline
print(request_rollback(actor=User.objects.get(), environment=Environment.objects.get(), pipeline=Pipeline.objects.get()).pk)
"""
TELL = """
from delivery.models import Deploy
deploy = Deploy.objects.get(pk=given["pk"])
steps = [f"{step.kind} {step.status}" for step in deploy.steps.order_by("position")]
told = {"open": deploy.is_open, "status": deploy.status, "release": deploy.release, "words": deploy.explanation, "steps": steps}
print(json.dumps(told | {"waits": deploy.waiting_for}))
"""


class DeployPortal(WholePortal):
    """A whole portal with one host, which deploys to it."""

    def __init__(self, folder: Path, farm: SshFarm) -> None:
        super().__init__(folder, farm)
        self.root = folder / "host" / "shop"
        self.hooks = folder / "hooks"
        self.hooks.mkdir()
        wait = f'test "$ADMINSET_ROLLBACK" = 1 || while [ ! -e {self.gate} ]; do sleep 0.1; done'
        restart = f'echo once >>"{self.hooks}/$ADMINSET_DEPLOY"; {wait}'
        self.do(PREPARE, root=str(self.root), restart=restart)

    def start_worker(self, name: str) -> subprocess.Popen[bytes]:
        """Start a worker for all that a deploy needs."""
        words = ("-q", "-A", "adminset", "worker", "-c2", "-n", name)
        started = self._start("celery", *words, "-Q", QUEUES, "-l", "warning")
        self.workers.append(started)
        return started

    def ask(self) -> int:
        """Ask for a deploy of a new release."""
        return int(self.do(ASK, folder=str(self.folder)))

    def ended(self, pk: int) -> dict[str, Any]:
        """Wait for the end of a deploy; say how it stands then."""
        until = time.monotonic() + LONGEST
        while (told := self._told(pk))["open"] and time.monotonic() < until:
            time.sleep(0.5)
        return told

    def steps(self, pk: int) -> list[str]:
        """Give kind and status of each step of a deploy."""
        return list(self._told(pk)["steps"])

    def run(self, *words: str) -> None:
        """Run Python with the portal's environment."""
        subprocess.run([sys.executable, *words], cwd=ROOT, env=self.env, check=True)

    def _told(self, pk: int) -> dict[str, Any]:
        return dict(json.loads(self.do(TELL, pk=pk)))

    def began(self, pk: int) -> int:
        """Say how often the hook of a deploy began."""
        file = self.hooks / str(pk)
        return file.read_text().count("once") if file.exists() else 0


def kill_parts() -> tuple[list[Figure], list[str]]:
    """Kill one part after the other, each under a deploy of its own; give figures and what is wrong."""
    figures, wrong = [], []
    with workplace() as folder, SshFarm(1, folder / "farm") as farm:
        portal = DeployPortal(folder, farm)
        try:
            portal.start_web()
            portal.start_worker("first@test")
            portal.start_beat()
            portal.gate.touch()
            portal.ended(portal.ask())
            for strike in PARTS:
                began = time.monotonic()
                found = _one(portal, strike)
                took = time.monotonic() - began
                name = strike.__name__.replace("_", " ")
                say(f"{name} killed under a deploy: {'; '.join(found) or 'well'}")
                figures.append(Figure(f"{name} killed under a deploy", took, "s"))
                wrong += [f"{name}: {words}" for words in found]
        finally:
            portal.stop()
    return figures, wrong


def _one(portal: DeployPortal, strike: Any) -> list[str]:
    portal.gate.unlink()
    pk = portal.ask()
    try:
        wait_until(lambda: portal.began(pk))
        strike(portal)
    except AssertionError as error:
        return [f"{error}: {portal.ended(pk)}"]
    finally:
        portal.gate.touch()
    wrong = _judged(portal, pk, portal.ended(pk))
    times = portal.began(pk)
    if times != 1 and not (strike in BEGIN_ANEW and times == 2):
        wrong.append(f"the hook began {times} times")
    back = int(portal.do(BACK))
    return [*wrong, *_judged(portal, back, portal.ended(back))]


def _judged(portal: DeployPortal, pk: int, told: dict[str, Any]) -> list[str]:
    live = live_of(portal.root)
    wrong = [] if told["status"] == "ok" else [f"#{pk} is {told}"]
    if live != told["release"] or not is_whole(portal.root, live):
        wrong.append(f"#{pk}: {live!r} is live, or not whole")
    return wrong

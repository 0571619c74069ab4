"""The ground of `make soak deploys`: a portal's database, real sshd servers as hosts, and workers that are processes to be killed."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connections

from accounts.models import User
from adminset.errors import Conflict
from cmdb.models import Credential
from delivery.engine import legwork
from delivery.engine.advance import advance
from delivery.engine.controlling import resume_deploy
from delivery.engine.local_work import do_step
from delivery.engine.requesting import request_deploy
from delivery.models import Artefact, Deploy, DeployStep, Pipeline
from delivery.planning.planning import make_plan
from tasks.models import RunPart
from tasks.services import queues, reap
from tasks.services.execute import execute_part
from tests.app_factories import make_environment, make_project
from tests.delivery.engine.deploy_things import ROOT, Stage, asked_with_roots
from tests.e2e.delivery_steps import Repository
from tests.factories import make_host
from tests.farm import SshFarm
from tests.small_disk import small_disk

HOSTS = 2
# Of the last host: small enough to be filled in a moment.
DISK = "3m"


@contextlib.contextmanager
def roots_of(folder: Path) -> Iterator[tuple[list[Path], Path | None]]:
    """Give a deploy path for each host, the last of them on a small disk, and that disk (None where none may be mounted)."""
    with contextlib.ExitStack() as stack:
        disk = None
        with contextlib.suppress(pytest.skip.Exception):
            disk = stack.enter_context(small_disk(folder / "disk", DISK))
        places = [folder / f"host{number}" for number in range(HOSTS)]
        if disk is not None:
            places[-1] = disk
        yield [place / "shop" for place in places], disk


class Ground:
    """A project on the servers of a farm, and the verbs of the soak."""

    def __init__(self, folder: Path, farm: SshFarm, roots: list[Path]) -> None:

        self.folder, self.farm = folder, farm
        user, pipeline, environment, hosts = _rows(farm)
        by_host = {host.pk: root for host, root in zip(hosts, roots, strict=True)}
        self.stage = Stage(user, pipeline, environment, hosts, by_host, folder)
        self.roots = roots
        self.repository = Repository(folder / "repository")

        legwork.request_leg = asked_with_roots(by_host)

    def release(self) -> Any:
        """Store another artefact."""

        return self.stage.artefact(f"release {Artefact.objects.count() + 1}")

    def ask_for_commit(self, reason: str) -> Deploy:
        """Commit what becomes the next release once it is built, and ask for a deploy of it."""
        number = Artefact.objects.count() + 1
        words = {"word": f"release {number}", "asked": str(Deploy.objects.count())}
        self.repository.commit(f"Release {number}", **words)
        self._source("git")
        about: dict[str, Any] = {
            "actor": self.stage.user,
            "pipeline": self.stage.pipeline,
            "environment": self.stage.environment,
            "ref": "main",
        }
        plan = make_plan(**about)
        return request_deploy(**about, plan_hash=plan.hash, reason=reason)

    def forget_source(self) -> None:
        """Let the project be one whose artefacts are brought, so that no plan asks git."""
        self._source("upload")

    def _source(self, kind: str) -> None:
        project = self.stage.pipeline.project
        project.source_type = kind
        address = f"file://{self.repository.folder}"
        project.source_address = address if kind == "git" else ""
        project.save()

    def worker(self, pk: int) -> int:
        """Start a worker for a deploy; give its process id. It ends when the deploy has."""
        return forked(lambda: _work(pk))

    def finish(self, pk: int, worker: int, seconds: float = 180) -> bool:
        """Wait for the end of a deploy as beat, the workers and a person would: lost work is found, killed workers are replaced."""

        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if has_ended(worker):
                worker = self.worker(pk)
            with contextlib.suppress(OperationalError):
                deploy = Deploy.objects.get(pk=pk)
                if not deploy.is_open:
                    break
                if deploy.status == Deploy.Status.PAUSED and not deploy.ending:
                    # Somebody may have cancelled it meanwhile.
                    with contextlib.suppress(Conflict):
                        resume_deploy(actor=self.stage.user, deploy=deploy)
                sweep(pk)
            time.sleep(0.3)
        end(worker)
        return not Deploy.objects.get(pk=pk).is_open


def _rows(farm: SshFarm) -> tuple[Any, Any, Any, list[Any]]:

    user = User.objects.create_superuser("admin", "x")
    key = farm.client_key.read_text()
    credential = Credential.objects.create(
        name="farm", username=farm.user, private_key=key
    )
    hosts = [
        make_host(
            server.name,
            address=server.address,
            ssh_port=server.port,
            credential=credential,
            host_key=server.host_key,
        )
        for server in farm.hosts
    ]
    project = make_project("shop", deploy_path=ROOT)
    environment = make_environment(project, "live", hosts=hosts, by=user)
    pipeline = Pipeline.objects.create(
        project=project, name="main", timeout_seconds=60, policy="batches", batches="1"
    )
    return user, pipeline, environment, hosts


def forked(work: Callable[[], None]) -> int:
    """Do something in a process of its own, which may be killed; give its id."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work()
        code = 0
    finally:
        os._exit(code)


def _work(pk: int) -> None:
    """Do what a worker does, for one deploy, until that has ended."""
    while Deploy.objects.get(pk=pk).is_open:
        turn(pk)
        time.sleep(0.02)


def turn(pk: int) -> None:
    """Move a deploy on, and do its runs and its work at the portal as far as nobody else does."""
    name = f"worker{os.getpid()}"
    advance(pk)
    step = DeployStep.objects.filter(deploy=pk, status="running").first()
    if step is None:
        time.sleep(0.05)
    elif step.kind in DeployStep.LOCAL:
        if do_step(pk=step.pk, worker=name):
            advance(pk)
    else:
        for part in RunPart.objects.filter(run=step.run_id, status="queued"):
            execute_part(run_id=part.run_id, queue=part.queue, worker=name)


def sweep(pk: int) -> None:
    """Do what beat has done each ten seconds."""

    reap.reap_lost()
    reap.settle_forsaken()
    queues.wake_ready()
    advance(pk)


def has_ended(worker: int) -> bool:
    """Say whether a worker is gone."""
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(worker, os.WNOHANG)[0] == worker
    return True


def end(worker: int) -> None:
    """End a worker, if it lives."""
    if not has_ended(worker):
        os.kill(worker, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(worker, 0)

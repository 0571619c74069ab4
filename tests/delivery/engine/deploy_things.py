"""Deploys on real sshd servers, driven in this process: three hosts on one machine, each with a deploy path of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from accounts.models import User
from appconf.models import Environment, Project
from cmdb.models import Host
from delivery.artefacts import store
from delivery.artefacts.rules import Rules
from delivery.engine import advance as engine
from delivery.engine.local_work import do_step
from delivery.engine.requesting import request_deploy
from delivery.models import Artefact, Deploy, DeployStep, Pipeline
from delivery.planning.planning import make_plan
from tasks.legs.asking import Leg, request_leg
from tasks.models import Run
from tasks.services.execute import execute_run

# The deploy path of the stage.
ROOT = "/srv/shop"


@dataclass
class Stage:
    """A project with a pipeline, an environment on three hosts, and the folders that are their deploy paths."""

    user: User
    pipeline: Pipeline
    environment: Environment
    hosts: list[Host]
    roots: Mapping[int, Path]
    folder: Path
    # What happens before the work of a step is done: {kind: what}; where it says False that is not done.
    during: dict[str, Callable[[DeployStep], object]] = field(default_factory=dict)

    def way(self, **fields: Any) -> None:
        """Change the pipeline."""
        for name, value in fields.items():
            setattr(self.pipeline, name, value)
        self.pipeline.save()

    def artefact(
        self, word: str, *, project: Project | None = None, **files: str
    ) -> Artefact:
        """Store an artefact whose file `word` says so."""
        number = Artefact.objects.count() + 1
        built = self.folder / f"built-{number}"
        for name, text in {"word": word, "pad": "x" * 5000, **files}.items():
            (built / name).parent.mkdir(parents=True, exist_ok=True)
            (built / name).write_text(text)
        kept = store.add(built, Rules())
        return Artefact.objects.create(
            project=project or self.pipeline.project,
            number=number,
            sha256=kept.sha256,
            size=kept.size,
            file_count=kept.count,
            commit=f"{number:040x}",
        )

    def ask(self, artefact: Artefact, **wanted: Any) -> Deploy:
        """Ask for a deploy of an artefact, by its plan."""
        return self.ask_for(self.pipeline, self.environment, artefact, **wanted)

    def ask_for(
        self,
        pipeline: Pipeline,
        environment: Environment,
        artefact: Artefact,
        **wanted: Any,
    ) -> Deploy:
        """Ask for a deploy to any environment, by its plan."""
        about: dict[str, Any] = {
            "actor": wanted.pop("actor", self.user),
            "pipeline": pipeline,
            "environment": environment,
            "artefact": artefact,
        }
        for name in ("kind", "host_ids"):
            if name in wanted:
                about[name] = wanted.pop(name)
        plan = make_plan(**about)
        return request_deploy(**about, plan_hash=plan.hash, **wanted)

    def deploy(self, artefact: Artefact, **wanted: Any) -> Deploy:
        """Ask for a deploy of an artefact and do it."""
        return self.drive(self.ask(artefact, **wanted))

    def drive(self, deploy: Deploy, *, steps: int = 500) -> Deploy:
        """Do what a deploy has to do, as far as it goes now."""
        for _number in range(steps):
            engine.advance(deploy.pk)
            step = running(deploy)
            if step is None or not self._do(step):
                break
        deploy.refresh_from_db()
        return deploy

    def _do(self, step: DeployStep) -> bool:
        if step.kind in self.during and self.during[step.kind](step) is False:
            return False
        if step.kind in DeployStep.LOCAL:
            return do_step(pk=step.pk, worker="test", threaded=False) is not None
        if step.run is None:
            return False
        execute_run(pk=step.run_id, worker="test")
        return not Run.objects.get(pk=step.run_id).is_open

    def live(self) -> list[str]:
        """Give what the file `word` says in what is live on each host; "" where nothing is."""
        return [live_word(self.roots[host.pk]) for host in self.hosts]

    def locked(self) -> list[bool]:
        """Say of each host whether it is locked."""
        return [
            (self.roots[host.pk] / ".adminset" / "lock").exists() for host in self.hosts
        ]


def live_word(root: Path) -> str:
    """Give what the file `word` says in what is live below a deploy path."""
    file = root / "current" / "word"
    return file.read_text() if file.exists() else ""


def running(deploy: Deploy) -> DeployStep | None:
    """Give the step of a deploy that runs."""
    steps = DeployStep.objects.filter(deploy=deploy, status="running")
    return steps.select_related("run").first()


def kinds(deploy: Deploy) -> list[tuple[str, str]]:
    """Give kind and status of each step."""
    return list(deploy.steps.order_by("position").values_list("kind", "status"))


def statuses(deploy: Deploy) -> dict[str, str]:
    """Give host name -> status."""
    return dict(deploy.hosts.values_list("host_name", "status"))


def asked_with_roots(roots: Mapping[int, Path]) -> Callable[..., Run]:
    """Give a request_leg that tells each host a deploy path of its own, in place of ROOT: all of them are this machine."""

    def asked(*, actor: Any, leg: Leg, key: str) -> Run:
        if leg.values.get("AS_ROOT") != ROOT:
            return request_leg(actor=actor, leg=leg, key=key)
        own = {
            pk: {**leg.host_values.get(pk, {}), "AS_ROOT": str(roots[pk])}
            for pk in leg.host_ids
        }
        return request_leg(actor=actor, leg=replace(leg, host_values=own), key=key)

    return asked

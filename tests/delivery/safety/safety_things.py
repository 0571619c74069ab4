"""A project on paper: pipeline, environment and hosts that nobody ever reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import User
from appconf.models import Environment
from cmdb.models import Host
from delivery.engine.requesting import request_deploy
from delivery.models import Artefact, Deploy, Pipeline
from delivery.planning.plan import Plan
from delivery.planning.planning import make_plan


@dataclass
class Paper:
    """What a deploy needs, without anything that it could reach."""

    user: User
    pipeline: Pipeline
    environment: Environment
    hosts: list[Host]

    def artefact(self, number: int = 1, **fields: Any) -> Artefact:
        """Make an artefact of which nothing is stored."""
        sha256 = fields.pop("sha256", f"{number:064x}")
        return Artefact.objects.create(
            project=self.pipeline.project, number=number, sha256=sha256, **fields
        )

    def way(self, **fields: Any) -> None:
        """Change the pipeline."""
        for name, value in fields.items():
            setattr(self.pipeline, name, value)
        self.pipeline.save()

    def plan(self, **wanted: Any) -> Plan:
        """Make a plan, of the newest artefact unless another is wanted."""
        wanted.setdefault("artefact", self._newest())
        actor = wanted.pop("actor", self.user)
        return make_plan(
            actor=actor,
            pipeline=self.pipeline,
            environment=self.environment,
            **wanted,
        )

    def ask(self, *, approvals_needed: int = 0, **wanted: Any) -> Deploy:
        """Ask for a deploy by its plan."""
        self.way(approvals_needed=approvals_needed)
        about = {
            name: wanted.pop(name)
            for name in ("artefact", "host_ids", "kind")
            if name in wanted
        }
        about.setdefault("artefact", self._newest())
        plan = self.plan(**about)
        return request_deploy(
            actor=wanted.pop("actor", self.user),
            pipeline=self.pipeline,
            environment=self.environment,
            plan_hash=plan.hash,
            **about,
            **wanted,
        )

    def _newest(self) -> Artefact:
        found = Artefact.objects.order_by("-number").first()
        return found or self.artefact()

"""Every door by which a deploy is asked for or begins: each is prepared first, and tried later; it says why it refuses, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.test import Client

from adminset.errors import DomainError
from delivery.asked import answerers
from delivery.engine.advance import advance
from delivery.engine.controlling import resume_deploy, retry_deploy
from delivery.engine.requesting import ask
from delivery.engine.rolling_back import request_rollback
from delivery.models import (
    Deploy,
    DeployLock,
    DeployRequest,
)
from delivery.triggers.making import make
from delivery.triggers.wishing import wish
from tests.delivery.factories import make_deploy, make_live
from tests.delivery.safety.safety_things import Paper
from tests.delivery.triggers.api_things import Api

Act = Callable[[], str]
NOT_OFFERED = "Select a valid choice"


@dataclass
class Ground:
    """A project on paper with two releases, people at pages and programs at REST."""

    paper: Paper
    client: Client
    api: Api

    def __post_init__(self) -> None:
        paper = self.paper
        old, self.artefact = paper.artefact(1), paper.artefact(2)
        make_deploy(paper.environment, hosts=[], artefact=old, status="ok")
        for host in paper.hosts:
            kept = [{"release": old.release, "good": True}]
            live: dict[str, Any] = {"kept": kept, "previous": old.release}
            release = self.artefact.release
            make_live(paper.environment, host, release, artefact=self.artefact, **live)
        self.old = old

    @property
    def about(self) -> dict[str, Any]:
        """What a page asks a worker for."""
        where = {
            "pipeline": self.paper.pipeline.pk,
            "environment": self.paper.environment.pk,
        }
        return where | {
            "ref_kind": "artefact",
            "ref": str(self.artefact.pk),
            "host_ids": [],
        }

    def where(self) -> dict[str, Any]:
        return {
            "pipeline": self.paper.pipeline,
            "environment": self.paper.environment,
        }


def tried(act: Callable[[], Any]) -> Act:
    def words() -> str:
        try:
            act()
        except DomainError as error:
            return error.sentence
        return ""

    return words


def sent_by(answer: Any) -> str:
    """Give what a page or REST says where it refuses."""
    return "" if answer.status_code < 400 else answer.content.decode()


def decided() -> str:
    row = DeployRequest.objects.latest("pk")
    make(row.pk)
    row.refresh_from_db()
    return row.words


def plan(g: Ground) -> Act:
    return tried(lambda: g.paper.plan(artefact=g.artefact))


def worker_plan(g: Ground) -> Act:
    return tried(lambda: answerers.answer_plan(g.paper.user, g.about))


def worker_begin(g: Ground) -> Act:
    seen = answerers.answer_plan(g.paper.user, g.about)
    told = {"plan_hash": seen["hash"], "kind": seen["kind"]}
    told |= {"reason": "r", "wait": True}
    return tried(lambda: answerers.answer_begin(g.paper.user, g.about | told))


def write_down(g: Ground) -> Act:
    seen = g.paper.plan(artefact=g.artefact)
    return tried(lambda: ask(actor=g.paper.user, plan=seen, reason="r", **g.where()))


def page(g: Ground) -> Act:
    path = f"/delivery/pipelines/{g.paper.pipeline.pk}/deploy/"
    sent = {**g.about, "hosts": []}
    return lambda: sent_by(g.client.post(path, sent))


def rest_plan(g: Ground) -> Act:
    path = f"pipelines/{g.paper.pipeline.pk}/plan/"
    sent = {"environment": g.paper.environment.pk, "ref": "main"}
    return lambda: sent_by(g.api.post(path, sent))


def rest_deploy(g: Ground) -> Act:
    path = f"pipelines/{g.paper.pipeline.pk}/deploy/"
    sent = {"environment": g.paper.environment.pk, "ref": "main", "plan_hash": "h"}
    return lambda: sent_by(g.api.post(path, sent | {"reason": "r"}))


def rest_rollback(g: Ground) -> Act:
    path = f"environments/{g.paper.environment.pk}/rollback/"
    sent = {"pipeline": g.paper.pipeline.pk, "reason": "r"}
    return lambda: sent_by(g.api.post(path, sent))


def rollback(g: Ground) -> Act:
    return tried(lambda: request_rollback(actor=g.paper.user, reason="r", **g.where()))


def rollback_page(g: Ground) -> Act:
    path = f"/delivery/environments/{g.paper.environment.pk}/rollback/"
    sent = {"pipeline": g.paper.pipeline.pk, "reason": "r"}
    return lambda: sent_by(g.client.post(path, sent))


def rollback_request(g: Ground) -> Act:
    back: dict[str, Any] = {"kind": "rollback", "trigger": "api", "artefact": g.old}
    wish(actor=g.paper.user, key="back", **back, **g.where())
    return decided


def _failed(g: Ground) -> Deploy:
    deploy = g.paper.ask(artefact=g.artefact, reason="r")
    Deploy.objects.filter(pk=deploy.pk).update(status="failed")
    DeployLock.objects.all().delete()
    deploy.hosts.update(status="failed")
    return Deploy.objects.get(pk=deploy.pk)


def retry(g: Ground) -> Act:
    deploy = _failed(g)
    return tried(lambda: retry_deploy(actor=g.paper.user, deploy=deploy))


def rest_retry(g: Ground) -> Act:
    path = f"deploys/{_failed(g).pk}/retry/"
    return lambda: sent_by(g.api.post(path, {"what": "failed"}))


def retry_request(g: Ground) -> Act:
    g.api.post(f"deploys/{_failed(g).pk}/retry/", {"what": "failed"})
    return decided


def _paused(g: Ground) -> Deploy:
    deploy = g.paper.ask(artefact=g.artefact, reason="r")
    Deploy.objects.filter(pk=deploy.pk).update(status="paused")
    return Deploy.objects.get(pk=deploy.pk)


def resume(g: Ground) -> Act:
    deploy = _paused(g)
    return tried(lambda: resume_deploy(actor=g.paper.user, deploy=deploy))


def retry_stage(g: Ground) -> Act:
    deploy = _paused(g)
    first = deploy.steps.order_by("position")[0]
    deploy.steps.filter(pk=first.pk).update(status="failed")
    return tried(lambda: retry_deploy(actor=g.paper.user, deploy=deploy, what="stage"))


def waiting(g: Ground) -> Act:
    deploy = g.paper.ask(artefact=g.artefact, reason="r")

    def words() -> str:
        advance(deploy.pk)
        deploy.refresh_from_db()
        assert deploy.started_at is None or deploy.status == "running"
        return deploy.explanation

    return words


OF_PEOPLE_AND_PROGRAMS = (
    *(plan, worker_plan, worker_begin, write_down, page, rest_plan, rest_deploy),
    *(rest_rollback, rollback, rollback_page, rollback_request),
    *(retry, rest_retry, retry_request, resume, retry_stage, waiting),
)

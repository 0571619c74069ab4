"""Writes down requests for deploys, each once, and calls a worker for them."""

from collections.abc import Collection
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction

from adminset import calling
from appconf.models import Environment
from delivery.models import Artefact, Deploy, DeployRequest, FollowUp, Pipeline

MAKE = "delivery.make_deploy"


def wish(  # noqa: PLR0913 - what is asked for, each part by its name
    *,
    actor: Any,
    key: str,
    pipeline: Pipeline,
    environment: Environment,
    trigger: str,
    kind: str = Deploy.Kind.DEPLOY,
    ref_kind: str = Deploy.RefKind.BRANCH,
    ref: str = "",
    artefact: Artefact | None = None,
    host_ids: Collection[int] = (),
    plan_hash: str = "",
    reason: str = "",
    emergency_reason: str = "",
    wait: bool = True,
    only_new: bool = False,
    follow_up: FollowUp | None = None,
    depth: int = 0,
    retries: Deploy | None = None,
) -> DeployRequest:
    """Write down a request, unless one of this key is there already, and call a worker after the commit.

    Whether the actor may is asked when the deploy is made, and again with the actor's token as it is then; callers whose
    answer goes to a person ask before.
    """
    token = getattr(actor, "token", None)
    row, made = DeployRequest.objects.get_or_create(
        key=key[:200],
        defaults={
            "pipeline": pipeline,
            "environment": environment,
            "trigger": trigger,
            "kind": kind,
            "ref_kind": ref_kind,
            "ref": ref[:200],
            "artefact": artefact,
            "has_artefact": artefact is not None,
            "host_ids": sorted(host_ids),
            "plan_hash": plan_hash,
            "reason": reason.strip()[:500],
            "emergency_reason": emergency_reason.strip()[:500],
            "wait": wait,
            "only_new": only_new,
            "follow_up": follow_up,
            "depth": depth,
            "retries": retries,
            "asked_by": actor,
            "asked_by_name": actor.username[:150],
            "token": token,
            "by_token": token is not None,
        },
    )
    if made:
        transaction.on_commit(partial(call_for, row.pk, row.kind))
    return row


def call_for(pk: int, kind: str) -> None:
    """Call a worker for a request; ways back never wait behind a build. Where Redis is away the sweeper calls later."""
    back = kind == Deploy.Kind.ROLLBACK
    queue = settings.CELERY_TASK_DEFAULT_QUEUE if back else settings.QUESTION_QUEUE
    calling.send(MAKE, pk, queue=queue)

"""Celery's door of the ground: the audit trail is chained, forwarded and anchored; long reverts are done, imports planned and applied."""

import logging
from typing import Any

import redis
from celery import shared_task
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from adminset import (
    audit_anchors,
    audit_chain,
    audit_forward,
    redis_door,
    webhook_sending,
)
from adminset.crud import bulk_jobs, revert_job, search_terms
from adminset.errors import DomainError, Unavailable
from adminset.import_models import ImportPlan
from adminset.imports import applying, plans
from adminset.models import BulkJob

logger = logging.getLogger(__name__)

LEASE_SECONDS = 300


@shared_task(name="adminset.seal_audit")
def seal_audit() -> None:
    """Chain the lines that no commit has chained: its process died, or another one held the chain."""
    audit_chain.seal_pending()


@shared_task(name="adminset.forward_audit")
def forward_audit() -> None:
    """Send new lines to the SIEM, unless another worker is at it."""
    if audit_forward.receiver() is None:
        return
    with redis_door.lease("adminset.forward_audit", LEASE_SECONDS) as held:
        try:
            if held:
                audit_forward.forward()
        except OSError as error:
            logger.warning("audit lines wait for the syslog receiver: %s", error)


@shared_task(name="adminset.anchor_audit")
def anchor_audit() -> None:
    """Anchor the trail where the last anchor is a day old."""
    with redis_door.lease("adminset.anchor_audit", LEASE_SECONDS) as held:
        kinds = audit_anchors.due() if held else []
        if not kinds:
            return
        try:
            audit_anchors.anchor(kinds)
        except DomainError as error:
            logger.warning("%s %s", error.message, error.hint)


def enqueue_revert(*, user: Any, pk: int, whole: bool, reason: str, total: int) -> str:
    """Have a worker take changes back; see adminset.crud.revert.revert.

    Returns:
        the name of the page that says how far it is.

    Raises:
        Unavailable: no worker can be called.
    """
    key = revert_job.note(user, pk=pk, whole=whole, reason=reason, total=total)
    try:
        do_revert.delay(key)
    except (OperationalError, redis.RedisError, OSError) as error:
        raise Unavailable(
            _("No worker can be called now, and nothing was changed."),
            _("Try again in a minute."),
        ) from error
    return key


@shared_task(name="adminset.do_revert")
def do_revert(key: str) -> None:
    """Take changes back."""
    revert_job.do(key)


def send_import(plan: ImportPlan) -> None:
    """Call a worker for a plan that waits, to look through it or to apply it.

    Raises:
        Unavailable: no worker can be called; the plan waits, and its page offers another try.
    """
    task = apply_import if plan.state == ImportPlan.State.QUEUED else plan_import
    try:
        task.delay(plan.pk)
    except (OperationalError, redis.RedisError, OSError) as error:
        raise Unavailable(
            _("No worker can be called now, and nothing was changed."),
            _("Try again in a minute."),
        ) from error


def send_bulk(job: BulkJob) -> None:
    """Call a worker for work on many rows.

    Raises:
        Unavailable: no worker can be called; the job is forgotten.
    """
    try:
        run_bulk.delay(job.pk)
    except (OperationalError, redis.RedisError, OSError) as error:
        job.delete()
        raise Unavailable(
            _("No worker can be called now, and nothing was changed."),
            _("Try again in a minute."),
        ) from error


@shared_task(name="adminset.run_bulk")
def run_bulk(pk: int) -> None:
    """Do work on many rows, as a whole or not at all."""
    bulk_jobs.run(pk=pk)


@shared_task(name="adminset.plan_import")
def plan_import(pk: int) -> None:
    """Look through a file."""
    plans.look_through(pk=pk)


@shared_task(name="adminset.apply_import")
def apply_import(pk: int) -> None:
    """Apply a plan, as a whole or not at all."""
    applying.apply_plan(pk=pk)


@shared_task(name="adminset.purge_imports")
def purge_imports() -> None:
    """Forget old files and plans."""
    plans.purge_old()


@shared_task(name="adminset.rebuild_search")
def rebuild_search() -> None:
    """Bring the search in step: it forgets what went along with something else, and learns what passed it by."""
    with redis_door.lease("adminset.rebuild_search", 4 * 3600) as held:
        if held:
            search_terms.rebuild_all()


@shared_task(name="adminset.send_webhook")
def send_webhook(hook: int) -> None:
    """Send what one web-hook has to say, unless another worker is at it: a receiver gets messages in their order."""
    with redis_door.lease(f"adminset.webhook.{hook}", LEASE_SECONDS) as held:
        if held:
            webhook_sending.send_due(hook)


@shared_task(name="adminset.send_webhooks")
def send_webhooks() -> None:
    """Have sent what no commit called a worker for, and what is due for another try; forget old messages."""
    for hook in webhook_sending.due_hooks():
        send_webhook.delay(hook)
    webhook_sending.purge()

"""Work on more rows than a request should wait for: kept as a job, done by a worker as a whole or not at all."""

import logging
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.urls import get_resolver
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from adminset import context
from adminset.crud import bulk_work, selection
from adminset.crud.renaming import Renaming
from adminset.crud.resource import Resource, all_resources
from adminset.crud.selection import Selection
from adminset.errors import DomainError
from adminset.models import BulkJob

logger = logging.getLogger(__name__)

KEPT_SECONDS = 24 * 3600
EVERY_SECONDS = 0.5
# A worker that has said nothing for so long is lost.
LOST_SECONDS = 120


def make(
    *, actor: Any, chosen: Selection, kind: BulkJob.Kind, wanted: dict[str, Any]
) -> BulkJob:
    """Keep what is asked for; a worker does it (adminset/tasks.py)."""
    here = context.current.get()
    return BulkJob.objects.create(
        owner=actor,
        resource=chosen.resource.path,
        kind=kind,
        selection=chosen.as_json(),
        wanted=wanted,
        total=chosen.count,
        request_id=here.request_id,
        address=here.address,
    )


def run(*, pk: int) -> None:
    """Do a job in the name of whoever asked for it, with what that user may do by now; nothing where another worker has it."""
    waiting = BulkJob.objects.filter(pk=pk, state=BulkJob.State.WAITING)
    if not waiting.update(state=BulkJob.State.RUNNING):
        return
    job = BulkJob.objects.select_related("owner").get(pk=pk)
    token = context.current.set(context.RequestContext(job.request_id, job.address))
    try:
        language = getattr(job.owner, "language", "") or settings.LANGUAGE_CODE
        with translation.override(language):
            state, message = _outcome(job)
    finally:
        context.current.reset(token)
    BulkJob.objects.filter(pk=pk).update(
        state=state, message=message, ended_at=timezone.now()
    )


def _outcome(job: BulkJob) -> tuple[BulkJob.State, str]:
    """Do it; a failure is told on the job's page, and its cause in the log."""
    try:
        with transaction.atomic():
            errors = _do(job)
            transaction.set_rollback(bool(errors))
    except DomainError as error:
        errors = [f"{error.message} {error.hint}".strip()]
    except PermissionDenied:
        errors = [_("You may not do this to every one of these rows.")]
    except Exception:
        logger.exception("bulk job %s failed", job.pk)
        return BulkJob.State.FAILED, _("Something went wrong; the log has the details.")
    return BulkJob.State.REFUSED if errors else BulkJob.State.DONE, "\n".join(errors)


def _do(job: BulkJob) -> list[str]:
    resource = resource_at(job.resource)
    chosen = selection.of_job(resource, job.selection)
    action = "delete" if job.kind == BulkJob.Kind.DELETE else "change"
    if action not in resource.verbs:
        return [_("This cannot be done with these objects any more.")]
    told: dict[str, Any] = {
        "actor": job.owner,
        "resource": resource,
        "rows": chosen.rows(job.owner, action),
        "progress": Counting(job),
    }
    if job.kind == BulkJob.Kind.DELETE:
        return bulk_work.delete(**told)
    if job.kind == BulkJob.Kind.RENAME:
        return bulk_work.rename(**told, renaming=Renaming(**job.wanted))
    return bulk_work.edit(**told, values=job.wanted)


def resource_at(path: str) -> Resource:
    """Give the resource of a path, in a worker too, which has served no page.

    Raises:
        DomainError: there is none any more.
    """
    # Resources are known once the urls are.
    get_resolver().url_patterns  # noqa: B018 - asked for what it loads
    found = next((each for each in all_resources() if each.path == path), None)
    if found is None:
        raise DomainError(_("There is no such list any more."))
    return found


class Counting:
    """Tells the job's page how far it is, past the transaction, which nobody sees into."""

    def __init__(self, job: BulkJob) -> None:
        self._key, self._done, self._told_at = _key(job), 0, 0.0

    def __call__(self, count: int) -> None:
        """Count some more."""
        self._done += count
        if time.monotonic() - self._told_at >= EVERY_SECONDS:
            self._told_at = time.monotonic()
            cache.set(self._key, (self._done, time.time()), KEPT_SECONDS)


def _key(job: BulkJob) -> str:
    return f"bulk:{job.pk}"


def progress(job: BulkJob) -> dict[str, Any]:
    """Say how many rows are done, and whether the worker has fallen silent."""
    done, at = cache.get(_key(job)) or (0, job.created_at.timestamp())
    if job.state == BulkJob.State.DONE:
        done = job.total
    return {
        "done": min(done, job.total),
        "lost": job.is_open and time.time() - at > LOST_SECONDS,
    }

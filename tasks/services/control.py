"""Pausing a run and letting it go on."""

from typing import Any

from django.db import transaction
from django.db.models import Case, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict
from tasks.models import Run
from tasks.output import Hints
from tasks.services.queues import wake
from tasks.services.settle import settle


def pause_run(*, actor: Any, run: Run) -> Run:
    """Let the hosts that run come to their end and begin no other, until somebody lets it go on.

    Raises:
        Conflict: it does not run, or is being stopped.
    """
    words = _("Paused by %(who)s. Resume it to go on.") % {"who": actor.audit_name}
    going = (Run.Status.QUEUED, Run.Status.RUNNING)
    with transaction.atomic():
        paused = Run.objects.filter(
            pk=run.pk, status__in=going, cancel_requested_at=None
        ).update(
            status=Run.Status.PAUSED,
            paused_at=timezone.now(),
            paused_by_name=actor.audit_name[:150],
            explanation=words,
        )
        if not paused:
            raise Conflict(
                _("%(run)s cannot be paused: it does not run.") % {"run": run},
                code="not_running",
            )
        audit.record(actor, "run.pause", run)
    Hints(run.pk).status()
    run.refresh_from_db()
    return run


def resume_run(*, actor: Any, run: Run) -> Run:
    """Let a paused run go on.

    Raises:
        Conflict: it is not paused, or is being stopped.
    """
    began = Case(
        When(started_at=None, then=Value(Run.Status.QUEUED)),
        default=Value(Run.Status.RUNNING),
    )
    anew = Case(When(started_at=None, then=None), default=Value(timezone.now()))
    with transaction.atomic():
        resumed = Run.objects.filter(
            pk=run.pk, status=Run.Status.PAUSED, cancel_requested_at=None
        ).update(
            status=began,
            # The time of a batch does not go by while a person thinks.
            batch_started_at=anew,
            paused_at=None,
            paused_by_name="",
            explanation="",
        )
        if not resumed:
            raise Conflict(
                _("%(run)s is not paused.") % {"run": run}, code="not_paused"
            )
        audit.record(actor, "run.resume", run)
        wake(run.pk)
        settle(run.pk)
    Hints(run.pk).status()
    run.refresh_from_db()
    return run

"""Stopping a run that somebody asked for."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict
from tasks.models import Run
from tasks.output import Hints


def cancel_run(*, actor: Any, run: Run) -> Run:
    """Stop a run: one that waits ends at once, one that runs is told to its worker, which looks each second.

    Raises:
        Conflict: it has ended already, or somebody else is stopping it.
    """
    now = timezone.now()
    rows = Run.objects.filter(pk=run.pk, cancel_requested_at=None)
    asked: dict[str, Any] = {
        "cancel_requested_at": now,
        "cancelled_by_name": actor.audit_name,
    }
    words = _("Cancelled by %(who)s before it was started.") % {"who": actor.audit_name}
    with transaction.atomic():
        waiting = rows.filter(status=Run.Status.QUEUED)
        if waiting.update(
            status=Run.Status.CANCELLED, ended_at=now, explanation=words, **asked
        ):
            run.hosts.update(explanation=words)
        elif not rows.filter(status=Run.Status.RUNNING).update(**asked):
            raise Conflict(
                _("%(run)s has ended or is being stopped already.") % {"run": run},
                code="not_running",
            )
        audit.record(actor, "run.cancel", run)
    Hints(run.pk).status()
    run.refresh_from_db()
    return run

"""Stopping a run that somebody asked for."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict
from tasks.models import Run, RunHost, RunPart
from tasks.output import Hints
from tasks.services.settle import close_hosts, settle
from tasks.services.waiting import pending


def cancel_run(*, actor: Any, run: Run) -> Run:
    """Stop a run: one that waits ends at once, one that runs is told to its workers, which look each second.

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
        waiting = rows.filter(started_at=None, status__in=Run.OPEN)
        if waiting.update(
            status=Run.Status.CANCELLED, ended_at=now, explanation=words, **asked
        ):
            close_hosts(pending(run.hosts.all()), words, RunHost.Status.NOT_STARTED)
            run.parts.update(
                status=RunPart.Status.DONE, reason="", lease_until=None, ended_at=now
            )
        elif not rows.filter(status__in=Run.OPEN).update(**asked):
            raise Conflict(
                _("%(run)s has ended or is being stopped already.") % {"run": run},
                code="not_running",
            )
        audit.record(actor, "run.cancel", run)
        settle(run.pk)
    Hints(run.pk).status()
    run.refresh_from_db()
    return run

"""What an approval does to a run: called when the last word is given, ended when it was refused, expired or void."""

from django.db import transaction

from tasks.approvals.asking import RUN
from tasks.approvals.deciding import DOORS, WATCHER, Door, withdraw
from tasks.approvals.seals import seals_of_run
from tasks.models import Approval, Run
from tasks.services.cancel import cancel_run
from tasks.services.queues import wake


def join_doors() -> None:
    """Make runs known to the approvals; the room's apps.py calls it."""
    DOORS[RUN] = Door(_seals, _go, _stop)


def _seals(approval: Approval) -> dict[str, str] | None:
    run = Run.objects.filter(pk=approval.object_id).first()
    return seals_of_run(run) if run is not None and run.is_open else None


def _go(approval: Approval) -> None:
    """Call workers; where another approval is missing they find that out themselves."""
    transaction.on_commit(lambda: wake(approval.object_id))


@transaction.atomic
def _stop(approval: Approval) -> None:
    run = Run.objects.filter(pk=approval.object_id).first()
    if run is None or not run.is_open:
        return
    withdraw(kind=RUN, object_id=run.pk)
    cancel_run(actor=WATCHER, run=run)
    words = f"{approval.rule_name}: {approval.explanation}"
    ended = Run.objects.filter(pk=run.pk, status=Run.Status.CANCELLED)
    ended.update(explanation=words[:4000])

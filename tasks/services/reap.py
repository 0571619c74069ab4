"""Finds parts of runs that nobody works on any more, and parts for which nobody was called."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.clock import DatabaseNow
from tasks.models import Run, RunHost, RunPart
from tasks.output import Hints
from tasks.services.apart import apart
from tasks.services.deadlines import is_due
from tasks.services.queues import call
from tasks.services.settle import close_hosts, count_hosts, settle
from tasks.services.waiting import busy, pending

UNSENT_SECONDS = 15
REAPER = audit.SystemActor("reaper")
Status = RunPart.Status


def reap_lost() -> list[RunPart]:
    """Take parts from workers that gave no sign of life in time; give these parts.

    Hosts that were in hand are unknown then (or have their turn again, where the run is safe to repeat); the others go on
    with another worker. A lease is written and judged by the clock of the database.
    """
    late = busy(lease_until__lt=DatabaseNow()).select_related("run")
    taken = []
    for part in late.defer("run__playbook_text"):
        with apart(f"the lost part {part}"):
            if _reap(part):
                taken.append(part)
    return taken


def _reap(part: RunPart) -> bool:
    now, losses = timezone.now(), part.losses + 1
    gave_up = losses >= settings.RUN_MOST_LOSSES
    with transaction.atomic():
        # The fence goes up: what the lost worker still wants to write is refused.
        held = busy(pk=part.pk, fence=part.fence, lease_until=part.lease_until)
        if not held.update(
            status=Status.QUEUED,
            fence=F("fence") + 1,
            losses=losses,
            gave_up=gave_up,
            lease_until=None,
            sent_at=now,
        ):
            return False
        _judge_hosts(part, gave_up)
        left = pending(part.hosts.all()).exists()
        words = _words(part, left=left)
        if left:
            call(part)
        else:
            RunPart.objects.filter(pk=part.pk).update(status=Status.DONE, ended_at=now)
        goes_on = Run.objects.filter(pk=part.run_id, status=Run.Status.RUNNING)
        goes_on.update(explanation=words)
        # Who takes over a leg has its whole time: it was lost with the worker. RUN_MOST_LOSSES ends that.
        goes_on.filter(kind=Run.Kind.DEPLOY).update(batch_started_at=now)
        audit.record(REAPER, "run.lost", part.run, reason=words)
    settle(part.run_id)
    Hints(part.run_id).status()
    return True


def _judge_hosts(part: RunPart, gave_up: bool) -> None:
    """Say what is known of the hosts that the lost worker had in hand, and of those it had not."""
    running = part.hosts.filter(status=RunHost.Status.RUNNING)
    if part.run.repeatable and not gave_up:
        # That it was begun stays: where nobody comes to begin it anew it is unknown (settle.close_hosts).
        running.update(status=RunHost.Status.NOT_STARTED)
        return
    words = _(
        "Worker %(worker)s was lost while it ran here; look on the host before you repeat it."
    )
    running.update(
        status=RunHost.Status.UNKNOWN,
        explanation=words % {"worker": part.worker},
        ended_at=timezone.now(),
    )
    if gave_up:
        words = _("Not started: %(count)s workers were lost over this run.")
        close_hosts(
            pending(part.hosts.all()),
            words % {"count": part.losses + 1},
            RunHost.Status.NOT_STARTED,
        )


def _words(part: RunPart, *, left: bool) -> str:
    counts = count_hosts(part.run_id)
    done = sum(count for status, count in counts.items() if status not in RunHost.OPEN)
    end = part.lease_until or timezone.now()
    last = timezone.localtime(end - timedelta(seconds=settings.RUN_LEASE_SECONDS))
    goes_on = (
        _("The hosts that were not begun go on with another worker.")
        if left
        else _("Look at the hosts that are unknown before you repeat them.")
    )
    words = _(
        "Worker %(worker)s stopped at %(time)s; hosts done %(done)s of %(count)s. %(then)s"
    )
    return words % {
        "worker": part.worker,
        "time": f"{last:%Y-%m-%d %H:%M:%S %Z}",
        "done": done,
        "count": part.run.host_count,
        "then": goes_on,
    }


def settle_forsaken() -> None:
    """Settle runs that no worker has in hand: one may have been lost between the last host and the end, or a time-out is over.

    That of a leg is over also where no worker ever took it, though the portal was there to call one; the rows of those that
    still have time are not locked for it.
    """
    going = Q(status__in=(Run.Status.RUNNING, Run.Status.PAUSED))
    legs = Q(status=Run.Status.QUEUED, kind=Run.Kind.DEPLOY)
    runs = Run.objects.filter(going | legs).exclude(
        pk__in=busy().order_by().values("run")
    )
    times = ("created_at", "started_at", "batch_started_at", "run_timeout_seconds")
    for run in runs.order_by().only("kind", *times):
        if is_due(run):
            with apart(f"run {run.pk}"):
                settle(run.pk)


def unsent_parts() -> list[RunPart]:
    """Give (and mark as sent) the queued parts for which no message went out in the last 15 seconds."""
    now = timezone.now()
    late = RunPart.objects.filter(
        status=Status.QUEUED,
        sent_at__lt=now - timedelta(seconds=UNSENT_SECONDS),
        run__status__in=Run.OPEN,
    )
    return [
        part
        for part in late.select_related("run").defer("run__playbook_text")
        if RunPart.objects.filter(
            pk=part.pk, status=Status.QUEUED, sent_at=part.sent_at
        ).update(sent_at=now)
    ]

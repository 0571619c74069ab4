"""Finds runs that nobody works on any more, and runs for which nobody was called."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from tasks.models import Run, RunHost
from tasks.output import Hints
from tasks.services.execute import count_hosts

UNSENT_SECONDS = 15
REAPER = audit.SystemActor("reaper")


def reap_lost() -> list[Run]:
    """End runs whose worker gave no sign of life in time, and say what is known; give those that were ended."""
    due = Run.objects.filter(status=Run.Status.RUNNING, lease_until__lt=timezone.now())
    return [run for run in due.defer("playbook_text") if _reap(run)]


def _reap(run: Run) -> bool:
    now = timezone.now()
    held = Run.objects.filter(
        pk=run.pk, fence=run.fence, status=Run.Status.RUNNING, lease_until__lt=now
    )
    with transaction.atomic():
        # The fence goes up: what the lost worker still wants to write is refused.
        if not held.update(
            status=Run.Status.LOST,
            fence=F("fence") + 1,
            ended_at=now,
            explanation=_words(run),
        ):
            return False
        words = _(
            "The worker was lost while it ran here; look on the host before you repeat it."
        )
        running = run.hosts.filter(status=RunHost.Status.RUNNING)
        running.update(status=RunHost.Status.UNKNOWN, explanation=words, ended_at=now)
        run.hosts.filter(status=RunHost.Status.NOT_STARTED, explanation="").update(
            explanation=_("The worker was lost before it was started here.")
        )
        changes = [{"field": "status", "old": "running", "new": "lost"}]
        audit.record(REAPER, "run.lost", run, changes=changes, reason=run.worker)
    Hints(run.pk).status()
    return True


def _words(run: Run) -> str:
    counts = count_hosts(run.pk)
    done = sum(count for status, count in counts.items() if status not in RunHost.OPEN)
    end = run.lease_until or timezone.now()
    last = timezone.localtime(end - timedelta(seconds=settings.RUN_LEASE_SECONDS))
    return _(
        "Worker %(worker)s stopped at %(time)s; hosts done %(done)s of %(count)s. "
        "Look at the hosts that are unknown, then run the rest again."
    ) % {
        "worker": run.worker,
        "time": f"{last:%Y-%m-%d %H:%M:%S %Z}",
        "done": done,
        "count": run.host_count,
    }


def unsent_runs() -> list[int]:
    """Give (and mark as sent) the queued runs for which no message went out in the last 15 seconds."""
    now = timezone.now()
    late = Run.objects.filter(
        status=Run.Status.QUEUED, sent_at__lt=now - timedelta(seconds=UNSENT_SECONDS)
    )
    return [
        pk
        for pk in late.values_list("pk", flat=True)
        if late.filter(pk=pk).update(sent_at=now)
    ]


def note_unsent(*, pk: int) -> None:
    """Say on a queued run that nobody could be called for it."""
    words = _(
        "Queued; the dispatcher (Redis) cannot be reached. It starts by itself when that is back."
    )
    Run.objects.filter(pk=pk, status=Run.Status.QUEUED).update(explanation=words)

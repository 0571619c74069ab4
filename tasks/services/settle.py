"""Settles a run whenever something ended: the next batch, a pause, or the end of it all with a verdict and a sentence."""

from collections.abc import Callable

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset import audit
from adminset.listeners import tell_later
from tasks.models import Run, RunHost, RunPart
from tasks.services.claim import reached
from tasks.services.deadlines import is_due, overdue
from tasks.services.queues import has_worker, wake
from tasks.services.waiting import pending

ENGINE = audit.SystemActor("run engine")
# What is told of each run that has ended, by its id, once that is written; the room's apps.py fills it.
after_end: list[Callable[[int], None]] = []


@transaction.atomic
def settle(run_id: int, *, worker: str = "") -> bool:
    """Do what is due on a run: close what nobody will begin, move to the next batch, pause, end.

    May be called by anybody at any time: it does nothing where nothing is due.

    Args:
        worker: who ended the last host.

    Returns:
        whether the run is at another batch now, and goes on.
    """
    run = Run.objects.select_for_update().filter(pk=run_id).first()
    if run is None or not run.is_open or not is_due(run):
        return False
    _count(run)
    _close_overdue(run)
    closing = _closing_words(run)
    if closing:
        _close(run, closing, worker)
        return False
    if open_hosts(run).filter(batch=run.batch).exists():
        return False
    if not open_hosts(run).exists():
        finish_run(run, worker)
        return False
    return run.status == Run.Status.RUNNING and _next_batch(run)


def _count(run: Run) -> None:
    """Bring the numbers of the run up to date: a lost worker counted nothing."""
    counts = count_hosts(run.pk)
    done = sum(
        number for status, number in counts.items() if status not in RunHost.OPEN
    )
    found = (done, counts.get("ok", 0))
    if found != (run.done_count, run.ok_count):
        run.done_count, run.ok_count = found
        run.save(update_fields=["done_count", "ok_count"])


def _close(run: Run, words: str, worker: str) -> None:
    """End a run in which no further host begins, once no worker has one in hand."""
    if has_worker(run.pk):
        return
    status = RunHost.Status
    left = status.NOT_STARTED if run.cancel_requested_at else status.SKIPPED
    close_hosts(pending(run.hosts.all()), words, left)
    finish_run(run, worker)


def open_hosts(run: Run) -> QuerySet[RunHost]:
    """Give the hosts that have no end yet."""
    return run.hosts.filter(ended_at=None, status__in=RunHost.OPEN)


def _closing_words(run: Run) -> str:
    """Say why no further host begins; "" where they do."""
    if run.cancel_requested_at:
        return _("Cancelled by %(who)s before it was started.") % {
            "who": run.cancelled_by_name
        }
    if reached(run.stop_percent, run.done_count - run.ok_count, run.host_count):
        words = _(
            "Left out: %(failed)s of %(count)s hosts did not end well, and the run stops at %(percent)s %%."
        )
        return words % {
            "failed": run.done_count - run.ok_count,
            "count": run.host_count,
            "percent": run.stop_percent,
        }
    return ""


def _close_overdue(run: Run) -> None:
    """End the turn of hosts that were not begun when the time of their batch, or of the run, was over."""
    for limit, words, hosts in overdue(run):
        if close_hosts(hosts, words, RunHost.Status.NOT_STARTED, limit):
            note(run.pk, words)


def close_hosts(
    hosts: QuerySet[RunHost], words: str, status: str, limit: str = ""
) -> int:
    """Give hosts that were not begun their end; unknown is that of those which a lost worker had begun."""
    now = timezone.now()
    lost = _(
        "A worker was lost while it ran here; look on the host before you repeat it."
    )
    begun = hosts.filter(started_at__isnull=False).update(
        status=RunHost.Status.UNKNOWN,
        explanation=f"{lost} {words}"[:4000],
        ended_at=now,
        limit=limit,
    )
    rest = hosts.update(
        status=status, explanation=words[:4000], ended_at=now, limit=limit
    )
    return begun + rest


def _next_batch(run: Run) -> bool:
    """Move on to the next batch that has hosts, or wait for a person before it."""
    ended, batch = run.batch, open_hosts(run).order_by("batch").values("batch")[:1]
    now, following = timezone.now(), batch[0]["batch"]
    here = Run.objects.filter(pk=run.pk, batch=ended, status=Run.Status.RUNNING)
    why = _pause_words(run, following)
    if why:
        here.update(
            batch=following, status=Run.Status.PAUSED, paused_at=now, explanation=why
        )
        audit.record(ENGINE, "run.pause", run, reason=why)
        return False
    moved = here.update(batch=following, batch_started_at=now)
    if moved:
        wake(run.pk)
    return bool(moved)


def _pause_words(run: Run, following: int) -> str:
    ended = run.hosts.meant().filter(batch=run.batch)
    bad = ended.exclude(status=RunHost.Status.OK).count()
    always = run.pause_after == Run.PauseAfter.ALWAYS
    if not always and not (bad and run.pause_after == Run.PauseAfter.FAILURE):
        return ""
    told = ngettext(
        "%(bad)s host of it did not end well.",
        "%(bad)s hosts of it did not end well.",
        bad,
    )
    words = _("Batch %(batch)s of %(count)s is done. %(told)s Resume it to go on.")
    return words % {
        "batch": run.batch + 1,
        "count": run.batch_count,
        "told": told % {"bad": bad},
    }


def finish_run(run: Run, worker: str = "") -> None:
    """Write the verdict: from now on no worker has anything to write on it."""
    counts = count_hosts(run.pk)
    cancelled = bool(run.cancel_requested_at)
    status = _verdict(run, counts, cancelled)
    sentences = [
        _("Cancelled by %(who)s.") % {"who": run.cancelled_by_name}
        if cancelled
        else "",
        summary(counts),
        _left_out_words(run),
        Run.objects.values_list("notes", flat=True).get(pk=run.pk),
    ]
    now = timezone.now()
    Run.objects.filter(pk=run.pk).update(
        status=status,
        explanation=" ".join(filter(None, sentences))[:4000],
        ended_at=now,
        done_count=sum(counts.values()) - counts.get("not_started", 0),
        ok_count=counts.get("ok", 0),
    )
    run.parts.exclude(status=RunPart.Status.DONE).update(
        status=RunPart.Status.DONE, reason="", lease_until=None, ended_at=now
    )
    changes: list[audit.Change] = [
        {"field": "status", "old": run.status, "new": status},
        {"field": "hosts", "old": None, "new": counts},
    ]
    who = audit.SystemActor(f"worker {worker}") if worker else ENGINE
    audit.record(who, "run.finish", run, changes=changes)
    tell_later(after_end, run.pk)


def _verdict(run: Run, counts: dict[str, int], cancelled: bool) -> str:
    cut_off = counts.get("cancelled", 0) + counts.get("not_started", 0)
    if cancelled and cut_off:
        return Run.Status.CANCELLED
    if run.parts.filter(gave_up=True).exists() and counts.get("not_started"):
        return Run.Status.LOST
    return Run.Status.OK if set(counts) == {"ok"} else Run.Status.FAILED


def count_hosts(run_id: int) -> dict[str, int]:
    """Count the hosts that a run is for by status."""
    meant = RunHost.objects.filter(run=run_id).meant()
    rows = meant.order_by().values_list("status")
    return dict(rows.annotate(Count("pk")))


def _left_out_words(run: Run) -> str:
    """Say how many hosts were left out because of the run's limit; "" where none were."""
    count = run.hosts.filter(limit=RunHost.OUTSIDE).count()
    words = ngettext(
        "%(count)s host outside the limit was left out.",
        "%(count)s hosts outside the limit were left out.",
        count,
    )
    return words % {"count": count} if count else ""


def summary(counts: dict[str, int]) -> str:
    """Say how the hosts of a run ended: "3 hosts: 2 ok, 1 failed."."""
    total = sum(counts.values())
    parts = [
        f"{counts[status.value]} {status.label}"
        for status in RunHost.Status
        if counts.get(status.value)
    ]
    hosts = ngettext("%(count)s host", "%(count)s hosts", total) % {"count": total}
    return f"{hosts}: {', '.join(parts)}."


@transaction.atomic
def note(run_id: int, words: str) -> None:
    """Keep a sentence for the end of a run, once."""
    run = Run.objects.select_for_update().get(pk=run_id)
    if words and words not in run.notes:
        Run.objects.filter(pk=run_id).update(
            notes=f"{run.notes} {words}".strip()[:4000]
        )

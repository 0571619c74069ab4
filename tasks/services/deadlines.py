"""Time-outs of a run and of its batch: whose turn is over before it began, and what is said of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from tasks.models import Run, RunHost, RunPart
from tasks.services.jobs import limit_words
from tasks.services.looks import began, counts_from
from tasks.services.waiting import pending, why_part

# Name of the time-out, words, hosts that were not begun.
Turn = tuple[str, str, QuerySet[RunHost]]


def is_over(since: datetime | None, seconds: int | None) -> bool:
    """Whether so many seconds have passed since a moment; never where one of them is not known."""
    return bool(
        since and seconds and since + timedelta(seconds=seconds) <= timezone.now()
    )


def is_due(run: Run) -> bool:
    """Whether there may be something to settle on a run: it began, or should have by now."""
    return run.started_at is not None or _is_late(run)


def _is_late(run: Run) -> bool:
    """Whether the time of a run is over; of the many that have time left nobody else is asked."""
    limit = run.run_timeout_seconds
    return is_over(began(run), limit) and is_over(counts_from(run), limit)


def overdue(run: Run) -> Iterator[Turn]:
    """Give the hosts that were not begun when the time of their batch, or of the run, was over."""
    batch = run.batch_started_at if run.status == Run.Status.RUNNING else None
    if _is_late(run):
        words = limit_words("run") % {"seconds": run.run_timeout_seconds}
        yield from _turns(run, "run", words, pending(run.hosts.all()))
    if is_over(batch, run.batch_timeout_seconds):
        words = limit_words("batch") % {"seconds": run.batch_timeout_seconds}
        yield from _turns(
            run, "batch", words, pending(run.hosts.filter(batch=run.batch))
        )


def _turns(
    run: Run, limit: str, words: str, hosts: QuerySet[RunHost]
) -> Iterator[Turn]:
    if not run.is_leg:
        yield limit, words, hosts
        return
    # What a leg came to is read by a room that cannot ask why there: it is said of each queue.
    for part in run.parts.exclude(status=RunPart.Status.DONE).select_related("run"):
        yield limit, f"{words} {why_part(part)}".strip(), hosts.filter(part=part)

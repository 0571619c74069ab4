"""A round of checks: takes what is due, asks many at once, writes down what came of it; two rounds never do the same check."""

import logging
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ALL_COMPLETED, Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from monitor.checks import flips, samples
from monitor.checks.crew import crew
from monitor.checks.probes import probe, too_long
from monitor.checks.verdicts import Outcome, Patience, judge
from monitor.models import ServiceCheck, State

logger = logging.getLogger(__name__)
# Taken at once; results are gathered for this long before they are written together.
BATCH = 200
GATHER_SECONDS = 0.2


@dataclass(frozen=True)
class Job:
    """A check that this round took: as it was, and when it was due."""

    check: ServiceCheck
    due_at: datetime
    claim: uuid.UUID
    give_up_at: float


def claim(site: str, most: int) -> list[Job]:
    """Take checks of a site that are due, the longest waiting first; each is taken by one worker only.

    A worker that dies with them loses them after CHECK_CLAIM_SECONDS.
    """
    now, token = timezone.now(), uuid.uuid4()
    due = ServiceCheck.objects.filter(site=site, enabled=True, next_at__lte=now)
    waiting = dict(due.order_by("next_at").values_list("pk", "next_at")[:most])
    if not waiting:
        return []
    until = now + timedelta(seconds=settings.CHECK_CLAIM_SECONDS)
    # Asked again in the update itself: another worker may have been quicker.
    due.filter(pk__in=waiting).order_by().update(claim=token, next_at=until)
    mine = ServiceCheck.objects.filter(pk__in=waiting, claim=token)
    begun = time.monotonic()
    return [
        Job(
            check,
            waiting[check.pk] or now,
            token,
            begun + check.timeout_seconds + settings.CHECK_PATIENCE_SECONDS,
        )
        for check in mine.select_related("host")
    ]


def run(site: str, seconds: float) -> int:
    """Ask what is due at a site for so many seconds at most; gives how many were asked."""
    until, count = time.monotonic() + seconds, 0
    running: dict[Future[Outcome], Job] = {}
    while True:
        free = crew().free()
        if not free and not running:
            logger.warning(
                "checks wait: all threads are held by questions that were given up"
            )
        if free and time.monotonic() < until:
            for job in claim(site, min(free, BATCH)):
                running[crew().start(partial(probe, job.check))] = job
        if not running:
            return count
        count += settle(list(_ended(running)))


def _ended(running: dict[Future[Outcome], Job]) -> Iterator[tuple[Job, Outcome]]:
    """Take out what has ended, or was waited for long enough: that one still holds its thread."""
    wait(running, timeout=GATHER_SECONDS, return_when=ALL_COMPLETED)
    now = time.monotonic()
    for future, job in list(running.items()):
        if future.done():
            yield running.pop(future), future.result()
        elif now > job.give_up_at:
            yield running.pop(future), too_long(job.check)


def settle(results: Sequence[tuple[Job, Outcome]]) -> int:
    """Write down what came of some checks, in one transaction, and their samples into the metric store."""
    if not results:
        return 0
    with transaction.atomic():
        for job, outcome in sorted(results, key=lambda each: each[0].check.pk):
            _settle_one(job, outcome)
    samples.write({job.check.pk: outcome for job, outcome in results})
    return len(results)


def _settle_one(job: Job, outcome: Outcome) -> None:
    """Write one result, unless the check was changed or taken by somebody else meanwhile."""
    check, now = job.check, timezone.now()
    patience = Patience(check.retries, check.recover_after)
    verdict = judge(check.state, check.streak, outcome.state, patience)
    pending = verdict.state != outcome.state
    found = {
        "streak": verdict.streak,
        "latency_ms": outcome.latency_ms,
        "checked_at": now,
        "next_at": _next(job, now, soon=pending),
        "claim": None,
    }
    rows = ServiceCheck.objects.filter(pk=check.pk, claim=job.claim)
    if verdict.state == check.state:
        rows.update(sentence=outcome.sentence, **found)
    else:
        flips.move(
            rows,
            check.state,
            verdict.state,
            sentence=outcome.sentence,
            at=now,
            **found,
        )


def _next(job: Job, now: datetime, *, soon: bool) -> datetime:
    """Say when it is asked again: in step with its interval, sooner while its state is in doubt."""
    every = job.check.every_seconds
    if soon:
        return now + timedelta(seconds=min(every, settings.CHECK_RETRY_SECONDS))
    planned = job.due_at + timedelta(seconds=every)
    return planned if planned > now else now + timedelta(seconds=every)


def mark_stale() -> int:
    """Say of checks that nobody asks that nothing is known: their site has no worker; gives how many."""
    now, count = timezone.now(), 0
    late = now - timedelta(seconds=settings.CHECK_STALE_SECONDS)
    rows = ServiceCheck.objects.filter(enabled=True, next_at__lt=late)
    rows = rows.exclude(state__in=(State.UNKNOWN, State.PAUSED))
    for check in rows.order_by("next_at")[:BATCH]:
        words = samples.stale_words(check.site)
        one = ServiceCheck.objects.filter(pk=check.pk, next_at=check.next_at)
        count += flips.move(
            one, check.state, State.UNKNOWN, sentence=words, at=now, streak=0
        )
    _mend_clock(now)
    return count


def _mend_clock(now: datetime) -> None:
    """Make due what was asked in the future: the clock was put back since."""
    ahead = now + timedelta(seconds=settings.CHECK_CLAIM_SECONDS)
    ServiceCheck.objects.filter(enabled=True, checked_at__gt=ahead).update(
        next_at=now, checked_at=now, claim=None
    )


def sites_with_work() -> list[str]:
    """Name the sites where something is due."""
    due = ServiceCheck.objects.filter(enabled=True, next_at__lte=timezone.now())
    return sorted(set(due.order_by().values_list("site", flat=True).distinct()))

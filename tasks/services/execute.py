"""Doing a part of a run: claim it, send its hosts down their lane, batch by batch, and let go of it."""

import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset import audit
from adminset.redaction import clean
from cmdb.models import Credential
from tasks.models import Run, RunHost, RunPart
from tasks.output import Hints
from tasks.services.ansible_lane import run_ansible
from tasks.services.claim import Claim, Watch, claim_part, drop_connection
from tasks.services.command_lane import run_commands
from tasks.services.jobs import AWAY, Job
from tasks.services.orphans import end_orphans
from tasks.services.queues import wake, wake_ready
from tasks.services.reaching import rows_of
from tasks.services.rejudge import keep_allowed
from tasks.services.settle import note, settle
from tasks.services.waiting import obstacle, pending
from tasks.sites.ways import credentials_to

Lane = Callable[[Job], str]
LANES: dict[Run.Kind, Lane] = {
    Run.Kind.COMMAND: run_commands,
    Run.Kind.SCRIPT: run_commands,
    Run.Kind.FILES: run_commands,
    Run.Kind.DEPLOY: run_commands,
    Run.Kind.MODULE: run_ansible,
    Run.Kind.PLAYBOOK: run_ansible,
    Run.Kind.ROLE: run_ansible,
}
# One process works on all hosts of a batch at once: all of them are begun when it starts.
TOGETHER = frozenset({Run.Kind.MODULE, Run.Kind.PLAYBOOK, Run.Kind.ROLE})
GATHER_SECONDS = 0.25
TRY_SECONDS = 1.0
logger = logging.getLogger(__name__)


@dataclass(eq=False)
class _Hand:
    """A worker with a part in its hand."""

    claim: Claim
    worker: str
    watch: Watch
    hints: Hints
    gather_seconds: float
    noted: set[int] = field(default_factory=set)


def execute_part(*, run_id: int, queue: str, worker: str) -> None:
    """Do what one queue has of a run, as far as it goes now; nothing happens where another worker has it.

    The lease is renewed from a thread with a database connection of its own.
    """
    part = RunPart.objects.filter(run=run_id, queue=queue).first()
    if part is not None:
        _do(part.pk, worker, threaded=True)


def execute_run(*, pk: int, worker: str) -> None:
    """Do all parts of a run in this process and without threads of the engine, until nothing is left or it waits for somebody."""
    while True:
        wake(pk)
        queued = RunPart.objects.filter(run=pk, status=RunPart.Status.QUEUED)
        if not [part for part in queued if _do(part.pk, worker, threaded=False)]:
            return


def _do(part_id: int, worker: str, *, threaded: bool) -> bool:
    claim = claim_part(pk=part_id, worker=worker)
    if claim is None:
        return False
    watch = Watch(claim, Run.objects.get(pk=claim.run_id))
    gather = GATHER_SECONDS if threaded else 0.0
    hand = _Hand(claim, worker, watch, Hints(claim.run_id), gather)
    hand.hints.status()
    with watch.keeping() if threaded else nullcontext():
        end_orphans(claim)
        while _patiently(partial(_do_next, hand)):
            pass
        _patiently(partial(_let_go, hand))
    return True


def _patiently(act: Callable[[], bool]) -> bool:
    """Do what needs the database, again and again while that is away: the lease decides who goes on then."""
    while True:
        try:
            return act()
        except AWAY:
            if connection.in_atomic_block:
                raise
            logger.warning("a run waits for the database", exc_info=True)
            drop_connection()
            time.sleep(TRY_SECONDS)


def _do_next(hand: _Hand) -> bool:
    """Do what the part has in the run's batch; say whether there may be more of it."""
    run = Run.objects.get(pk=hand.claim.run_id)
    hand.watch.turn_to(run)
    rows = rows_of(run, hand.claim.part_id)
    if run.status != Run.Status.RUNNING or not rows or hand.watch.look():
        return False
    rows = keep_allowed(run, hand.claim, rows)
    if rows:
        _do_batch(hand, run, rows)
    if hand.watch.why == "lost":
        return False
    settle(run.pk, worker=hand.worker)
    return not hand.watch.holding


def _do_batch(hand: _Hand, run: Run, rows: list[RunHost]) -> None:
    job = Job(run, hand.claim, hand.watch, hand.hints, rows, hand.gather_seconds)
    hand.watch.on_look = job.look
    hand.noted |= _note_credentials(job, hand.noted)
    words, over = "", True
    try:
        words = _down_the_lane(job)
    except AWAY:
        # The database went away under the lane: what it did not begin has its turn when that is back.
        logger.exception("run %s: the lane was broken off", run.pk)
        over = False
    except Exception:
        logger.exception("run %s: broken off", run.pk)
        words = _("The portal could not go on; its log says why.")
    hand.watch.on_look = lambda: None
    while not job.flush():
        time.sleep(TRY_SECONDS)
    if job.watch.why != "lost":
        _patiently(partial(_after, job, words, over=over))
    hand.hints.status()


def _down_the_lane(job: Job) -> str:
    kind = Run.Kind(job.run.kind)
    if kind in TOGETHER:
        while (begun := job.begin(job.rows)) is None:
            if job.watch.look() or job.watch.holding:
                return ""
            time.sleep(TRY_SECONDS)
        job.rows = begun
    return LANES[kind](job) if job.rows else ""


def _after(job: Job, words: str, *, over: bool) -> bool:
    """Give an end to what the lane left open, and keep what is to be said at the end of the run.

    Args:
        over: the lane came to its end, so that what it did not begin will not be begun.
    """
    status, now = RunHost.Status, timezone.now()
    hosts = RunHost.objects.filter(pk__in=[row.pk for row in job.rows])
    words = clean(words)
    with transaction.atomic():
        if job.hold() is None:
            return False
        hosts.filter(status=status.RUNNING).update(
            status=status.UNKNOWN,
            explanation=_(
                "It was still going on when the run ended: look on the host."
            ),
            ended_at=now,
        )
        if over and not job.watch.why and not job.watch.holding:
            unsaid = words or _(
                "It was not begun here; the log of the portal says more."
            )
            pending(hosts).update(explanation=unsaid[:4000], ended_at=now)
        note(job.run.pk, _cut_off_words(job))
        note(job.run.pk, words)
    return True


def _cut_off_words(job: Job) -> str:
    """Say how many hosts a time-out of the batch or of the run has cut off; their names are not for all who see the run."""
    count = len(set(job.cut_off))
    if not count:
        return ""
    told = ngettext(
        "%(count)s host had not returned",
        "%(count)s hosts had not returned",
        count,
    ) % {"count": count}
    if job.watch.why != "batch":
        return _("The time-out of the run was over: %(told)s.") % {"told": told}
    words = _("The time-out of batch %(batch)s was over: %(told)s.")
    return words % {"batch": job.run.batch + 1, "told": told}


def _let_go(hand: _Hand) -> bool:
    """Give the part back: done, or waiting for its next batch, for a person or for another run."""
    run_id, part_id = hand.claim.run_id, hand.claim.part_id
    part = RunPart.objects.select_related("run").get(pk=part_id)
    left = pending(part.hosts.all()).exists()
    status = RunPart.Status.WAITING if left else RunPart.Status.DONE
    ended = None if left else timezone.now()
    hand.claim.part().update(
        status=status,
        reason=obstacle(part)[:500] if left else "",
        lease_until=None,
        ended_at=ended,
    )
    settle(run_id, worker=hand.worker)
    # What another part or a person did in this moment could not wake it; all others find the reaper.
    wake_ready(part)
    hand.hints.status()
    return True


@transaction.atomic
def _note_credentials(job: Job, noted: set[int]) -> set[int]:
    """Record which credentials a run signs in with, one line each, before the first of them is opened; give what was recorded."""
    used: dict[Credential, int] = {}
    for row in job.rows:
        queue = row.part.queue if row.part else ""
        for credential in credentials_to(row.host, queue) if row.host else ():
            if credential.pk not in noted:
                used[credential] = used.get(credential, 0) + 1
    actor = job.run.requested_by or audit.SystemActor(job.run.requested_by_name)
    for credential, hosts in used.items():
        changes: list[audit.Change] = [
            {"field": "run", "old": None, "new": job.run.pk},
            {"field": "hosts", "old": None, "new": hosts},
        ]
        audit.record(actor, "credential.use", credential, changes=changes)
    return {credential.pk for credential in used}

"""Who works on a part of a run: one worker at a time, for as long as it shows signs of life."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.expressions import Combinable
from django.utils import timezone

from adminset.clock import DatabaseNow
from tasks.models import Run, RunHost, RunPart
from tasks.services.looks import counts_from
from tasks.services.waiting import beyond_quota, cannot_say, obstacle

LOOK_SECONDS = 1.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """The right to work on a part. What a worker writes, it writes only while `renew` says that the part is still its own."""

    part_id: int
    run_id: int
    fence: int

    def part(self) -> QuerySet[RunPart]:
        """Give the part while the claim holds."""
        return RunPart.objects.filter(
            pk=self.part_id, fence=self.fence, status=RunPart.Status.RUNNING
        )

    def hosts(self) -> QuerySet[RunHost]:
        """Give the part's hosts while the claim holds."""
        return RunHost.objects.filter(part__in=self.part().order_by().values("pk"))

    def renew(self) -> bool:
        """Give a sign of life; False once somebody else has the part.

        In a transaction it keeps the part from being taken away until the end of that.
        """
        return bool(self.part().update(lease_until=lease_end()))


def lease_end() -> Combinable:
    """Say until when a sign of life of this moment counts, by the clock of the database: those of machines may differ."""
    return DatabaseNow() + timedelta(seconds=settings.RUN_LEASE_SECONDS)


def claim_part(*, pk: int, worker: str) -> Claim | None:
    """Take a queued part; None where it is not queued (any more), or may not begin yet: then it waits, and says why."""
    taken = RunPart.objects.filter(pk=pk, status=RunPart.Status.QUEUED).update(
        status=RunPart.Status.RUNNING,
        reason="",
        worker=worker[:150],
        fence=F("fence") + 1,
        started_at=timezone.now(),
        lease_until=lease_end(),
    )
    if not taken:
        return None
    part = RunPart.objects.select_related("run").get(pk=pk)
    claim = Claim(pk, part.run_id, part.fence)
    try:
        # The quotas are asked after the claim is written: of two that come at the same moment one at least sees the other.
        reason = obstacle(part) or beyond_quota(part)
        if not reason:
            return claim if _begin_run(claim) else None
    except Exception:
        # Without that it would look like the loss of a worker.
        step_back(claim, cannot_say())
        raise
    step_back(claim, reason)
    return None


def claim_run(*, pk: int, worker: str) -> Claim | None:
    """Take the first part of a run that is queued."""
    parts = RunPart.objects.filter(run=pk, status=RunPart.Status.QUEUED)
    part = parts.order_by("pk").first()
    return claim_part(pk=part.pk, worker=worker) if part else None


@transaction.atomic
def _begin_run(claim: Claim) -> bool:
    """Make the run a running one; give the part back where the run was ended meanwhile."""
    now = timezone.now()
    queued = Run.objects.filter(pk=claim.run_id, status=Run.Status.QUEUED)
    begun = queued.update(
        status=Run.Status.RUNNING, explanation="", started_at=now, batch_started_at=now
    )
    goes_on = Run.objects.filter(pk=claim.run_id, status=Run.Status.RUNNING)
    if not begun:
        # Each queue of a leg has the whole time, as one that takes over has (reap.py).
        goes_on.filter(kind=Run.Kind.DEPLOY).update(batch_started_at=now)
    if begun or goes_on.exists():
        return True
    paused = Run.objects.filter(pk=claim.run_id, status=Run.Status.PAUSED).exists()
    left = RunPart.Status.WAITING if paused else RunPart.Status.DONE
    claim.part().update(status=left, worker="", lease_until=None)
    return False


def step_back(claim: Claim, reason: str) -> bool:
    """Let go of a part that cannot go on now: it waits without a worker, and says why."""
    return bool(
        claim.part().update(
            status=RunPart.Status.WAITING,
            reason=reason[:500],
            worker="",
            lease_until=None,
        )
    )


class Watch:
    """Keeps the claim and learns of a cancel, a pause and the end of the time.

    A lane asks `look()` a few times a second, from the thread that speaks to the database, and obeys:
    `stopping`: end all commands at once, here and on the hosts; `why` is "cancelled", "batch" or "run" (a time-out) or
    "lost" (somebody else has the part now).
    `holding`: let what runs come to its end and begin nothing new; "paused" (it may be taken back) or "failures".
    Both may be read by any thread.
    """

    def __init__(self, claim: Claim, run: Run | None = None) -> None:
        self.stopping = False
        self.why = ""
        # Two marks, set by two threads: neither takes back what the other saw.
        self._paused = self._failed = False
        self.on_look: Callable[[], None] = lambda: None
        self._claim = claim
        self._percent: int | None = None
        self._deadlines: dict[str, float] = {}
        self._keeper: threading.Thread | None = None
        self._looked = self._renewed = time.monotonic()
        if run is not None:
            self.turn_to(run)

    @property
    def holding(self) -> str:
        """Why nothing new begins; "" where it may."""
        return "failures" if self._failed else "paused" if self._paused else ""

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop the run."""
        return self.why == "cancelled"

    def turn_to(self, run: Run) -> None:
        """Watch the batch that the run is at: what ended the lane of the one before, its time-out too, is over."""
        if self.why in {"", "batch"}:
            self.stopping, self.why = False, ""
        self._percent = run.stop_percent
        limits = {
            "run": (counts_from(run), run.run_timeout_seconds),
            "batch": (run.batch_started_at, run.batch_timeout_seconds),
        }
        now, clock = timezone.now(), time.monotonic()
        self._deadlines = {
            name: clock + seconds - (now - since).total_seconds()
            for name, (since, seconds) in limits.items()
            if since and seconds
        }

    def look(self) -> bool:
        """Look at the run at most once a second, by the thread that holds the claim; say whether to stop."""
        self.on_look()
        if self._keeper is None or not self._keeper.is_alive():
            self._look_once()
        return self.stopping

    def stop(self, why: str) -> None:
        """Stop for a reason; the first one stays."""
        self.why = self.why or why
        self.stopping = True

    def count(self, done: int, ok: int, total: int) -> None:
        """Begin nothing new once as many hosts failed as the run may bear."""
        if reached(self._percent, done - ok, total):
            self._failed = True

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Look from a thread of its own, with a database connection of its own: a lane that hangs does not lose its part."""
        ended = threading.Event()
        name = f"watch-{self._claim.part_id}"
        self._keeper = threading.Thread(
            target=self._keep, args=(ended,), name=name, daemon=True
        )
        self._keeper.start()
        try:
            yield
        finally:
            ended.set()
            self._keeper.join()
            self._keeper = None

    def _keep(self, ended: threading.Event) -> None:
        try:
            while not ended.wait(LOOK_SECONDS / 4):
                self._look_once()
        finally:
            connection.close()

    def _look_once(self) -> None:
        now = time.monotonic()
        for name, deadline in self._deadlines.items():
            if now >= deadline:
                self.stop(name)
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        try:
            self._ask(now)
        except DatabaseProblem:
            # The lease decides: if the database stays away, another worker goes on with the hosts that were not begun.
            logger.warning(
                "run %s: the database does not answer",
                self._claim.run_id,
                exc_info=True,
            )
            drop_connection()

    def _ask(self, now: float) -> None:
        run = "run__"
        names = ("status", "cancel_requested_at", "done_count", "ok_count")
        fields = [run + name for name in (*names, "host_count")]
        found = self._claim.part().values_list(*fields).first()
        if found is None:
            self.stop("lost")
            return
        status, cancelled, done, ok, total = found
        if cancelled:
            self.stop("cancelled")
        self._paused = status == Run.Status.PAUSED
        self.count(done, ok, total)
        if now - self._renewed >= settings.RUN_RENEW_SECONDS or self.stopping:
            self._renewed = now
            self._claim.renew()


def reached(percent: int | None, failed: int, total: int) -> bool:
    """Say whether so many hosts failed that a run that stops at `percent` stops."""
    return bool(percent and failed and failed * 100 >= percent * total)


def drop_connection() -> None:
    """Forget a connection that broke, so that the next question opens a new one."""
    if not connection.in_atomic_block:
        connection.close()

"""Who works on a run: one worker at a time, for as long as it shows signs of life."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db.models import F, QuerySet
from django.utils import timezone

from tasks.models import Run, RunHost

LOOK_SECONDS = 1.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """The right to work on a run. Every write goes through `run` or `hosts`: they are empty once somebody else has it."""

    run_id: int
    fence: int

    def run(self) -> QuerySet[Run]:
        """Give the run while the claim holds."""
        return Run.objects.filter(
            pk=self.run_id, fence=self.fence, status=Run.Status.RUNNING
        )

    def hosts(self) -> QuerySet[RunHost]:
        """Give the run's hosts while the claim holds."""
        return RunHost.objects.filter(run__in=self.run().order_by().values("pk"))


def lease_end() -> datetime:
    """Say until when a sign of life of this moment counts."""
    return timezone.now() + timedelta(seconds=settings.RUN_LEASE_SECONDS)


def claim_run(*, pk: int, worker: str) -> Claim | None:
    """Take a queued run; None where it is not queued any more (somebody else has it, or it was cancelled)."""
    taken = Run.objects.filter(pk=pk, status=Run.Status.QUEUED).update(
        status=Run.Status.RUNNING,
        explanation="",
        worker=worker[:150],
        fence=F("fence") + 1,
        started_at=timezone.now(),
        lease_until=lease_end(),
    )
    return (
        Claim(pk, Run.objects.values_list("fence", flat=True).get(pk=pk))
        if taken
        else None
    )


class Watch:
    """Renews the lease and learns of a cancel. `look` asks the database, `stopping` may be read by any thread."""

    def __init__(self, claim: Claim) -> None:
        self.stopping = False
        self.cancelled = False
        self._claim = claim
        self._looked = time.monotonic()
        self._renewed = time.monotonic()

    def look(self) -> bool:
        """Look at the run at most once a second, by the thread that holds the claim; say whether to stop."""
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            try:
                self._ask(now)
            except DatabaseProblem:
                # The lease decides: if the database stays away, another look finds the run lost.
                logger.warning(
                    "run %s: the database does not answer",
                    self._claim.run_id,
                    exc_info=True,
                )
        return self.stopping

    def _ask(self, now: float) -> None:
        found = list(self._claim.run().values_list("cancel_requested_at", flat=True))
        self.cancelled = self.cancelled or bool(found and found[0])
        first_sight = self.cancelled and not self.stopping
        if found and (
            first_sight or now - self._renewed >= settings.RUN_LEASE_SECONDS / 5
        ):
            self._renewed = now
            self._claim.run().update(lease_until=lease_end())
        self.stopping = self.stopping or self.cancelled or not found

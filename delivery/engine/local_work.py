"""Doing a step at the portal: take it by a conditional write, keep its lease, give its end while it is still ours."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.models import F, Q
from django.utils import timezone

from adminset.clock import DatabaseNow
from delivery.engine.handlers import words_of
from delivery.engine.making import WORK
from delivery.engine.moves import LONGEST
from delivery.models import DeployStep

logger = logging.getLogger(__name__)
Status = DeployStep.Status


class Lost(Exception):
    """Somebody else has the step now, or it was cancelled: nothing that is done for it counts any more."""


@dataclass
class Hand:
    """A worker with a step in its hand."""

    step: DeployStep
    fence: int
    lost: bool = False

    def rows(self) -> Any:
        """Give the step while it is ours."""
        return DeployStep.objects.filter(
            pk=self.step.pk, fence=self.fence, status=Status.RUNNING
        )

    def renew(self) -> bool:
        """Give a sign of life; False once the step is somebody else's."""
        self.lost = self.lost or not self.rows().update(lease_until=_lease_end())
        return not self.lost

    def look(self) -> None:
        """Raise Lost once the step is somebody else's."""
        if not self.renew():
            raise Lost

    def tell(self, done: int, total: int) -> None:
        """Say how far it is; raises Lost as `look` does."""
        if not self.rows().update(done=done, total=total, lease_until=_lease_end()):
            self.lost = True
            raise Lost

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Renew the lease from a thread, with a database connection of its own."""
        over = threading.Event()
        thread = threading.Thread(target=self._keep, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _keep(self, over: threading.Event) -> None:
        while not over.wait(settings.DELIVERY_LEASE_SECONDS / 3):
            try:
                if not self.renew():
                    break
            except DatabaseError:
                logger.warning("step %s: no sign of life", self.step, exc_info=True)
        connection.close()


def _lease_end() -> Any:
    return DatabaseNow() + timedelta(seconds=settings.DELIVERY_LEASE_SECONDS)


def take(pk: int, worker: str) -> Hand | None:
    """Take a step that nobody has in hand; None where there is nothing to take."""
    free = Q(lease_until=None) | Q(lease_until__lt=DatabaseNow())
    rows = DeployStep.objects.filter(free, pk=pk, status=Status.RUNNING)
    taken = rows.update(
        fence=F("fence") + 1, lease_until=_lease_end(), worker=worker[:150]
    )
    if not taken:
        return None
    step = DeployStep.objects.select_related("deploy__pipeline__project").get(pk=pk)
    if step.found.get("outcome", {}).get("attempt") == step.attempt:
        return None
    return Hand(step, step.fence)


def do_step(*, pk: int, worker: str, threaded: bool = True) -> int | None:
    """Do a step at the portal.

    Returns:
        the id of its deploy, which can be moved on now; None where the step was not ours (any more).
    """
    hand = take(pk, worker)
    if hand is None:
        return None
    try:
        with hand.keeping() if threaded else nullcontext():
            outcome = _done(hand)
    except Lost:
        return None
    return hand.step.deploy_id if give(hand, outcome) else None


def _done(hand: Hand) -> dict[str, Any]:
    work: Callable[[Hand], dict[str, Any]] = WORK[hand.step.kind]
    try:
        found = work(hand)
    except Lost:
        raise
    except (OperationalError, InterfaceError) as error:
        # The database went away, or took somebody else first: that is no end of the work, another attempt makes it.
        logger.warning("step %s is left", hand.step, exc_info=True)
        raise Lost from error
    except Exception as error:
        if hand.lost:
            raise Lost from error
        logger.warning("step %s went wrong", hand.step, exc_info=True)
        return {"outcome": _told(hand, Status.FAILED, words_of(error))}
    return {**found, "outcome": _told(hand, Status.OK, "")}


def _told(hand: Hand, status: str, words: str) -> dict[str, Any]:
    return {"status": status, "words": words[:LONGEST], "attempt": hand.step.attempt}


def give(hand: Hand, found: dict[str, Any]) -> bool:
    """Write the end of a step down, and let go of it; False where it is not ours any more."""
    kept = {**hand.step.found, **found}
    return bool(hand.rows().update(found=kept, lease_until=None, until=timezone.now()))

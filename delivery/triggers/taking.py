"""Which worker has a request for a deploy in hand: each for a while, and few at once, so that pages find a worker for their questions."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from delivery.models import Deploy, DeployRequest

# A worker may ask the source for so long; then another one tries.
SPARE_SECONDS = 60
# Of the workers of the queue (adminset/launch/programs.py); the others are left to pages and programs that wait.
AT_ONCE = 2
WAITING = Q(state=DeployRequest.State.WAITING)
# Ways back have another queue, and wait for nobody.
IS_BACK = Q(kind=Deploy.Kind.ROLLBACK)


def _lease_ends() -> Any:
    seconds = settings.SOURCE_SECONDS + SPARE_SECONDS
    return timezone.now() - timedelta(seconds=seconds)


def free() -> QuerySet[DeployRequest]:
    """Give the requests that wait and that nobody has in hand."""
    nobodys = Q(taken_at=None) | Q(taken_at__lt=_lease_ends())
    return DeployRequest.objects.filter(WAITING & nobodys)


def take(pk: int) -> bool:
    """Take a request that nobody has in hand, unless enough are; whoever ends with one calls for the next.

    Two that look at the same moment may both take one: there is one more in hand then, which does no harm.
    """
    in_hand = DeployRequest.objects.filter(WAITING, ~IS_BACK)
    busy = in_hand.filter(taken_at__gte=_lease_ends()).count() >= AT_ONCE
    rows = free().filter(IS_BACK if busy else Q(), pk=pk)
    return bool(rows.update(taken_at=timezone.now(), tries=F("tries") + 1))


def next_in_turn() -> tuple[int, str] | None:
    """Give key and kind of the oldest request that nobody ever took; None where there is none."""
    rows = free().filter(~IS_BACK, tries=0).order_by("pk")
    return rows.values_list("pk", "kind").first()

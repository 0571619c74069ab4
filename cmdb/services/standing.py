"""Whether what this process remembers of agents still holds: one look for all of them, each 2 seconds at most.

What makes an agent known, unknown, waiting or quarantined moves its `updated_at`; what only moves "last seen" does not.
The newest rows of that order are compared, not the newest moment alone: clocks of two servers differ. A host that is
deleted takes itself from its agent without a word, so that the links are counted too.
"""

import threading
import time
from typing import Any

from django.db.models import Count, Sum

from cmdb.models import Agent
from cmdb.services import recent

LOOK_SECONDS = 2.0
NEWEST = 50

_lock = threading.Lock()
_seen: tuple[float, Any] = (0.0, None)


def is_fresh() -> bool:
    """Say whether the last look was a moment ago."""
    return 0 <= time.monotonic() - _seen[0] < LOOK_SECONDS


def look() -> None:
    """Forget who proved himself if any agent's standing changed since the last look; does nothing while that was a moment ago.

    Raises:
        DatabaseError: nothing is known; who was remembered must not be let in.
    """
    global _seen
    with _lock:
        if is_fresh():
            return
        before = time.monotonic()
        changed = Agent.objects.order_by("-updated_at", "-pk")
        links = Agent.objects.order_by().aggregate(n=Count("host"), keys=Sum("host"))
        newest = list(changed.values_list("pk", "updated_at")[:NEWEST])
        _forget_what_changed(_seen[1], (newest, links))
        _seen = (before, (newest, links))


def _forget_what_changed(before: Any, now: Any) -> None:
    """Forget those whose standing changed; all where that cannot be told.

    Ten thousand agents that all have to prove themselves again because one was enrolled would be a storm.
    """
    if before == now:
        return
    changed = {pk for pk, _at in now[0]} if before is None else _changed(before, now)
    if before is None or len(changed) > NEWEST // 2:
        recent.proved.clear()
        return
    links = _links() if before[1] != now[1] else None
    recent.proved.drop(
        lambda known: (
            known.pk in changed
            or (links is not None and links.get(known.pk) != known.host_id)
        )
    )


def _changed(before: Any, now: Any) -> set[int]:
    # What left the newest rows may be deleted: those prove themselves anew, too.
    return {pk for pk, _at in set(before[0]) ^ set(now[0])}


def _links() -> dict[int, int | None]:
    linked = Agent.objects.filter(host__isnull=False)
    return dict(linked.values_list("pk", "host_id"))

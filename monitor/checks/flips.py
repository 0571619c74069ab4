"""Changes of state: each is one conditional update and one line in the table of changes, so that nobody tells it twice."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from monitor.models import CheckFlip, ServiceCheck
from monitor.watched_models import Watched

PURGED_AT_ONCE = 5000


@transaction.atomic
def move(
    rows: models.QuerySet,
    old: str,
    new: str,
    *,
    sentence: str,
    at: datetime,
    **fields: Any,
) -> bool:
    """Move one thing from a state to another, unless somebody moved it already; False: nothing was written.

    Args:
        rows: the one row, narrowed by what must still be true of it.
        fields: further columns to write along.
    """
    key = rows.values_list("pk", flat=True).first()
    if key is None:
        return False
    changed = rows.filter(pk=key, state=old).update(
        state=new, since=at, sentence=sentence[:500], **fields
    )
    if changed and old != new:
        write(rows.model, key, old, new, sentence=sentence, at=at)
    return bool(changed)


@transaction.atomic
def force(
    model: type[models.Model],
    pk: int,
    new: str,
    *,
    sentence: str,
    at: datetime,
    **fields: Any,
) -> None:
    """Move one thing to a state whatever its own is by now: a person says so."""
    rows: models.QuerySet = model._default_manager.filter(pk=pk)
    old = rows.select_for_update().values_list("state", flat=True).first()
    if old is not None:
        move(rows, old, new, sentence=sentence, at=at, **fields)


def write(
    model: type[models.Model],
    pk: int,
    old: str,
    new: str,
    *,
    sentence: str,
    at: datetime,
) -> None:
    """Write a change down; call it in the transaction of the update itself."""
    of = "check_row_id" if model is ServiceCheck else "heartbeat_id"
    made = CheckFlip(**{of: pk}, old=old, new=new, at=at, sentence=sentence[:500])
    # Without signals: nobody searches for changes.
    CheckFlip.objects.bulk_create([made])


def latest_of(watched: Watched, most: int) -> list[CheckFlip]:
    """Give the newest changes of a check or heartbeat."""
    return list(watched.flips.all()[:most])  # type: ignore[attr-defined]


def purge() -> int:
    """Forget old changes, and the oldest ones of what changes all the time; gives how many."""
    before = timezone.now() - timedelta(days=settings.CHECK_FLIP_DAYS)
    rows = CheckFlip.objects.filter(at__lt=before).order_by("at")
    keys = list(rows.values_list("pk", flat=True)[:PURGED_AT_ONCE])
    gone = CheckFlip.objects.filter(pk__in=keys).delete()[0] if keys else 0
    return gone + _thin("check_row") + _thin("heartbeat")


def _thin(of: str) -> int:
    """Cut what has more than CHECK_MAX_FLIPS changes; from where they are whole again its history is known."""
    most, gone = settings.CHECK_MAX_FLIPS, 0
    counted = CheckFlip.objects.filter(**{f"{of}__isnull": False}).order_by()
    full = counted.values(of).annotate(n=models.Count("pk")).filter(n__gt=most)
    for key in full.values_list(of, flat=True)[:100]:
        rows = CheckFlip.objects.filter(**{of: key}).order_by("-at", "-pk")
        first = rows[most - 1]
        with transaction.atomic():
            older = rows.filter(at__lt=first.at)
            gone += older.delete()[0]
            model: Any = CheckFlip._meta.get_field(of).related_model
            model.objects.filter(pk=key, known_from__lt=first.at).update(
                known_from=first.at
            )
    return gone

"""Forgets what came to web-hooks long ago, the signs of repeated messages, and the keys of repeated requests."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Model
from django.utils import timezone

from tasks.models import InHookDelivery, InHookSeen, RepeatedRequest

# For so long a repeated message or request is known again.
REMEMBERED = timedelta(days=1)
AT_ONCE = 5000


def clear() -> int:
    """Delete what is too old, some thousands of rows at once; gives how many."""
    now = timezone.now()
    days = timedelta(days=settings.HOOK_KEEP_DAYS)
    ages: tuple[tuple[type[Model], timedelta], ...] = (
        (InHookSeen, REMEMBERED),
        (RepeatedRequest, REMEMBERED),
        (InHookDelivery, days),
    )
    return sum(_older(model, now - age) for model, age in ages)


def _older(model: type[Model], moment: object) -> int:
    gone = 0
    while True:
        rows = model._default_manager.filter(at__lt=moment).order_by("at")
        keys = list(rows.values_list("pk", flat=True)[:AT_ONCE])
        if not keys:
            return gone
        model._default_manager.filter(pk__in=keys).delete()
        gone += len(keys)

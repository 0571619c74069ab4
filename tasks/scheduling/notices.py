"""Tells what somebody should know of a schedule: once each, on its page, on the home card and to web-hooks."""

from django.db import IntegrityError, transaction

from adminset import audit
from tasks.models import Run, Schedule, ScheduleNotice
from tasks.services.schedules import SCHEDULER


def tell(
    schedule: Schedule, kind: str, key: str, text: str, run: Run | None = None
) -> bool:
    """Write a notice down, and a line of the trail beside it, of which web-hooks tell; False where that has been done.

    Args:
        key: what the notice is about; of one kind and key there is one.
    """
    known = ScheduleNotice.objects.filter(schedule=schedule, kind=kind, key=key)
    if known.exists():
        return False
    try:
        with transaction.atomic():
            ScheduleNotice.objects.create(
                schedule=schedule, kind=kind, key=key, text=text[:500], run=run
            )
            audit.record(SCHEDULER, f"schedule.{kind}", schedule, reason=text[:500])
    except IntegrityError:
        # Another worker was quicker by a moment.
        return False
    return True

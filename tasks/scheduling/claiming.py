"""What all ticks share: which rows are due, who takes one up, what becomes of one that fails, and clocks that were set back."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from tasks.planned_models import Planned
from tasks.scheduling.missed import sort_out

logger = logging.getLogger(__name__)
T = TypeVar("T")
# A clock that is corrected by less than this has not been set back.
CLOCK_STEP = timedelta(minutes=1)
JUST_BEFORE = timedelta(microseconds=1)


@dataclass(frozen=True)
class Claim:
    """Planned times that have come and that nobody else treats, oldest first.

    Attributes:
        missed, running: divided by the policy of what was missed. more: there were earlier ones, too many for a row each.
    """

    missed: Sequence[datetime] = ()
    running: Sequence[datetime] = ()
    more: bool = False


def due(model: type[Planned], now: datetime) -> QuerySet[Any]:
    """Give the rows whose time has come, the oldest first; a tick takes up SCHEDULE_TICK_MOST of them."""
    rows: Any = model._default_manager
    due_rows: QuerySet[Any] = rows.filter(enabled=True, next_at__lte=now)
    return due_rows.order_by("next_at", "pk")


def claim(schedule: Planned, now: datetime) -> Claim:
    """Take up the planned times of a row that have come, within the caller's transaction, and keep the next one.

    The row is claimed by what it said when it was read: of two that come at the same moment, one finds it changed.
    """
    first = schedule.next_at
    rows: Any = type(schedule)._default_manager
    same = rows.filter(pk=schedule.pk, enabled=True, next_at=first)
    schedule.plan_next(now)
    kept = {"next_at": schedule.next_at, "looked_at": now}
    if first is None or not same.update(**kept):
        return Claim()
    most = settings.SCHEDULE_MISSED_ROWS
    times = schedule.plan.between(first - JUST_BEFORE, now, most)
    # After the clock was set back, a time may come that has been treated.
    treated = schedule.times.filter(planned_at__in=times)
    known = set(treated.values_list("planned_at", flat=True)) if times else set()
    new = [moment for moment in times if moment not in known]
    if not new:
        return Claim()
    return Claim(*sort_out(schedule, new, now), more=len(times) == most)


def carefully(
    do: Callable[[], T], schedule: Planned, give_up: Callable[[], None]
) -> T | None:
    """Let no row stop the others: a database that is busy is asked at the next tick, any other fault is written down.

    Args:
        give_up: leaves out what has come of the row, else it would fail again at each tick.
    """
    name = schedule._meta.model_name
    try:
        return do()
    except DatabaseError:
        logger.warning(
            "%s %s waits for the next tick", name, schedule.pk, exc_info=True
        )
    except Exception:
        logger.exception("%s %s could not be run", name, schedule.pk)
        give_up()
    return None


@transaction.atomic
def pass_over(
    schedule: Planned, now: datetime, leave_out: Callable[[Any, Any, str], None]
) -> None:
    """Leave out what has come of a row with which something is wrong that nobody foresaw.

    Args:
        leave_out: says on the page and in the trail why a time of it is left out: (time, row, words).
    """
    fresh = type(schedule)._default_manager.get(pk=schedule.pk)
    if fresh.next_at is None or fresh.next_at > now:
        return
    row, _made = fresh.times.get_or_create(planned_at=fresh.next_at)
    leave_out(row, fresh, mistake())
    fresh.plan_next(now)
    rows = type(schedule)._default_manager.filter(pk=fresh.pk)
    rows.update(next_at=fresh.next_at, looked_at=now)


def mistake() -> str:
    """Say that something went wrong that nobody foresaw."""
    return _("The portal made a mistake; its log says which.")


def set_right(model: type[Planned], now: datetime) -> None:
    """Work out the next times where that was never done, or by a clock that has been set back since.

    Else a clock that stood in next year for a minute would keep rows waiting until then. Times that have been treated are
    not treated again.
    """
    ahead = Q(looked_at__gt=now + CLOCK_STEP) | Q(looked_at=None)
    rows: Any = model._default_manager
    for row in rows.filter(ahead, enabled=True).order_by():
        read = row.looked_at
        row.plan_next(now)
        same = rows.filter(pk=row.pk, looked_at=read)
        same.update(next_at=row.next_at, looked_at=now)

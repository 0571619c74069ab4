"""When work may run: windows and blackouts of a schedule, and the blackouts in which launching by hand warns."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import takewhile

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from cmdb import membership
from cmdb.models import Host
from tasks.models import Calendar, Run, Schedule

# What is found so late counts as begun when it was due.
TOLERANCE = timedelta(minutes=1)


@dataclass(frozen=True)
class Blackout:
    """Times of a calendar that go on now. `until`: when they end, where that is within a year; `hosts`: how many it is about."""

    name: str
    reason: str
    until: datetime | None
    hosts: int


def obstacle(schedule: Schedule, moment: datetime) -> str:
    """Say why a schedule may not run at a moment; "" where it may."""
    if schedule.not_in and (reason := schedule.not_in.reason_at(moment)) is not None:
        return _("In the blackout %(name)s") % {"name": reason}
    if schedule.only_in and schedule.only_in.reason_at(moment) is None:
        return _("Outside the windows of %(name)s") % {"name": schedule.only_in}
    return ""


def opening(schedule: Schedule, after: datetime) -> datetime | None:
    """Give the first moment later than `after` at which a schedule may run; None where there is none within a year."""
    edges = _edges(schedule, after)
    return next((edge for edge in edges if not obstacle(schedule, edge)), None)


def closing(schedule: Schedule, after: datetime, until: datetime) -> datetime | None:
    """Give the first moment later than `after`, up to `until`, from which on a schedule may run no more; None where it may all the time."""
    edges = takewhile(lambda edge: edge <= until, _edges(schedule, after))
    return next((edge for edge in edges if obstacle(schedule, edge)), None)


def obstacle_of(run: Run, now: datetime) -> str:
    """Say why the calendars of its schedule keep a run from beginning now; "" where they do not.

    One that was asked for by hand heeds none, and one that has begun goes on.
    """
    if run.schedule is None or run.planned_at is None or run.started_at is not None:
        return ""
    found, due = obstacle(run.schedule, now), run.not_before or run.planned_at
    if found and now - due <= TOLERANCE:
        found = obstacle(run.schedule, due)
    return found


def _edges(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    calendars = [each for each in (schedule.only_in, schedule.not_in) if each]
    return merge(*(calendar.spans.edges(after) for calendar in calendars))


def blackouts_now(hosts: Iterable[Host], now: datetime | None = None) -> list[Blackout]:
    """Give the blackouts that go on now for some of these hosts: who launches something on them by hand is warned."""
    keys = [host.pk for host in hosts]
    now = now or timezone.now()
    found = []
    warning = Q(warns_everywhere=True) | Q(warns_groups__isnull=False)
    for calendar in Calendar.objects.filter(warning).distinct():
        reason = calendar.spans.note_at(now)
        if reason is None:
            continue
        touched = len(keys) if calendar.warns_everywhere else _touched(calendar, keys)
        if touched:
            edges = calendar.spans.edges(now)
            ends = (edge for edge in edges if calendar.spans.note_at(edge) is None)
            found.append(Blackout(calendar.name, reason, next(ends, None), touched))
    return found


def _touched(calendar: Calendar, keys: list[int]) -> int:
    groups = calendar.warns_groups.values_list("pk", flat=True)
    return membership.in_groups(Host.objects.filter(pk__in=keys), groups).count()

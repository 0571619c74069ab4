"""Finds heartbeats that did not come: first late, then down; each change is one conditional update."""

import time
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from adminset import maintenance, redis_door
from monitor.checks import flips
from monitor.models import Heartbeat, State

BATCH = 500
SWEPT = "monitor.heartbeats.swept"
# Nobody swept for longer: the portal was away, or its clock jumped. Jobs then get time to come again.
GAP_SECONDS = 120


def sweep() -> int:
    """Move what is overdue; gives how many. While the portal takes no signs, nobody is late."""
    now = timezone.now()
    if maintenance.is_on():
        return 0
    _settle_after_gap(now)
    due = Heartbeat.objects.filter(enabled=True, alert_after__lte=now)
    return sum(_move(each, now) for each in due.order_by("alert_after")[:BATCH])


def _settle_after_gap(now: datetime) -> None:
    """Give those who became due while nobody was there to hear them some time."""
    last = redis_door.noted(SWEPT)
    redis_door.note(SWEPT, str(time.time()), 7 * 86400)
    if not last or abs(time.time() - float(last)) <= GAP_SECONDS:
        return
    later = now + timedelta(seconds=settings.HEARTBEAT_SETTLE_SECONDS)
    away_since = datetime.fromtimestamp(min(float(last), time.time()), now.tzinfo)
    Heartbeat.objects.filter(
        enabled=True, alert_after__gt=away_since, alert_after__lte=now
    ).update(alert_after=later)


def _move(heartbeat: Heartbeat, now: datetime) -> int:
    """Move one to late, or to down when its grace is over too; 0: a sign came meanwhile, or another sweep was quicker."""
    due = heartbeat.alert_after
    if due is None:
        return 0
    rows = Heartbeat.objects.filter(pk=heartbeat.pk, alert_after=due)
    old, over = heartbeat.state, due
    if old != State.DEGRADED:
        over = due + timedelta(seconds=heartbeat.grace_seconds)
        if over > now:
            words = _("It is late: it was expected at %(time)s.") % {"time": _at(due)}
            return flips.move(
                rows, old, State.DEGRADED, sentence=words, at=now, alert_after=over
            )
    words = _("It did not come. The last sign was at %(time)s.")
    last = heartbeat.last_ping_at
    said = words % {"time": _at(last) if last else "-"}
    return flips.move(rows, old, State.DOWN, sentence=said, at=now, alert_after=None)


def _at(moment: datetime) -> str:
    return f"{formats.date_format(moment, 'Y-m-d H:i')} {settings.TIME_ZONE}"

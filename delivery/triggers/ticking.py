"""The tick of planned deploys: finds what has come, wishes for it, and keeps the next time. Two at the same time do no harm."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import maintenance
from delivery.models import Deploy, DeployRequest, DeploySchedule, DeployTime
from delivery.triggers.making import BY_ITSELF
from delivery.triggers.saving import switch_trigger
from delivery.triggers.wishing import wish
from tasks.scheduling.missed import sort_out

logger = logging.getLogger(__name__)
State = DeployTime.State
Overlap = DeploySchedule.Overlap
JUST_BEFORE = timedelta(microseconds=1)
# A clock that is corrected by less than this has not been set back.
CLOCK_STEP = timedelta(minutes=1)
MOST_TIMES = 100
NEEDED = ("pipeline__project", "environment__project", "run_as")


def tick(now: datetime | None = None) -> None:
    """Do what has come; in maintenance nothing is taken up: what comes then is late, or missed, when it ends."""
    if maintenance.is_on():
        return
    now = now or timezone.now()
    _set_right(now)
    due = DeploySchedule.objects.filter(enabled=True, next_at__lte=now)
    for schedule in due.select_related(*NEEDED).order_by("next_at"):
        try:
            take(schedule, now)
        except DatabaseError:
            logger.warning(
                "planned deploy %s waits for the next tick", schedule.pk, exc_info=True
            )
        except Exception:
            logger.exception("planned deploy %s could not be treated", schedule.pk)


@transaction.atomic
def take(schedule: DeploySchedule, now: datetime) -> None:
    """Treat the planned times of a schedule that have come, and keep the next one.

    The row is claimed by what it said when it was read: of two that come at the same moment, one finds it changed.
    """
    first = schedule.next_at
    claimed = DeploySchedule.objects.filter(pk=schedule.pk, enabled=True, next_at=first)
    schedule.plan_next(now)
    kept = {"next_at": schedule.next_at, "looked_at": now}
    if first is None or not claimed.update(**kept):
        return
    times = schedule.plan.between(first - JUST_BEFORE, now, MOST_TIMES)
    treated = DeployTime.objects.filter(schedule=schedule, planned_at__in=times)
    known = set(treated.values_list("planned_at", flat=True))
    new = [moment for moment in times if moment not in known]
    if not new:
        return
    # The task centre's policy reads the same fields, and the same words, of both kinds of schedules.
    missed, going = sort_out(schedule, new, now)  # type: ignore[arg-type]
    _note_missed(schedule, missed)
    for planned_at in going:
        _begin(schedule, planned_at)


def _note_missed(schedule: DeploySchedule, missed: Sequence[datetime]) -> None:
    words = _("The portal was away, or in maintenance.")
    DeployTime.objects.bulk_create(
        DeployTime(
            schedule=schedule, planned_at=moment, state=State.MISSED, reason=words
        )
        for moment in missed
    )


def _begin(schedule: DeploySchedule, planned_at: datetime) -> None:
    owner = schedule.run_as
    row = DeployTime(schedule=schedule, planned_at=planned_at, state=State.ASKED)
    if owner is None or not owner.may_sign_in:
        words = _(
            "Turned off: its owner %(name)s cannot sign in any more. Save it as somebody who may."
        )
        row.state, row.reason = State.SKIPPED, words % {"name": owner or "-"}
        row.save()
        switch_trigger(actor=BY_ITSELF, row=schedule, enabled=False, reason=row.reason)
        return
    former = former_of(schedule)
    if former and schedule.overlap == Overlap.SKIP:
        row.state, row.reason = State.OVERLAPPED, former
        row.save()
        return
    row.request = wish(
        actor=owner,
        key=f"schedule:{schedule.pk}:{planned_at.isoformat()}",
        pipeline=schedule.pipeline,
        environment=schedule.environment,
        trigger=Deploy.Trigger.SCHEDULE,
        ref_kind=schedule.ref_kind,
        ref=schedule.ref,
        only_new=schedule.only_new,
        reason=_("Planned deploy %(name)s") % {"name": schedule},
    )
    row.save()


def former_of(schedule: DeploySchedule) -> str:
    """Say which former deploy of a schedule goes on; "" where none does."""
    rows = DeployRequest.objects.filter(planned__schedule=schedule)
    going = Q(state=DeployRequest.State.WAITING) | Q(deploy__status__in=Deploy.OPEN)
    former = rows.filter(going).select_related("deploy").order_by("pk").first()
    if former is None:
        return ""
    if former.deploy_id is None:
        return _("The former wish is not treated yet.")
    return _("#%(deploy)s still goes on.") % {"deploy": former.deploy_id}


def _set_right(now: datetime) -> None:
    """Work out the next times where that was never done, or by a clock that has been set back since."""
    ahead = Q(looked_at__gt=now + CLOCK_STEP) | Q(looked_at=None)
    for schedule in DeploySchedule.objects.filter(ahead, enabled=True).order_by():
        read = schedule.looked_at
        schedule.plan_next(now)
        rows = DeploySchedule.objects.filter(pk=schedule.pk, looked_at=read)
        rows.update(next_at=schedule.next_at, looked_at=now)

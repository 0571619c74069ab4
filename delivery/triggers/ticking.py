"""The tick of planned deploys: finds what has come, asks for deploys, and keeps the next time. Two at the same time do no harm."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit, maintenance
from adminset.errors import Forbidden
from delivery.models import Deploy, DeployRequest, DeploySchedule, DeployTime
from delivery.triggers.saving import BY_ITSELF, turned_off
from delivery.triggers.vouching import owner_of
from delivery.triggers.wishing import wish
from tasks.scheduling.claiming import carefully, claim, due, pass_over, set_right

State = DeployTime.State
Overlap = DeploySchedule.Overlap
NOT_BEGUN = (Deploy.Status.WAITING_APPROVAL, Deploy.Status.WAITING)
NEEDED = ("pipeline__project", "environment__project", "run_as")


def tick(now: datetime | None = None) -> None:
    """Do what has come; in maintenance nothing is taken up: what comes then is late, or missed, when it ends."""
    if maintenance.is_on():
        return
    now = now or timezone.now()
    set_right(DeploySchedule, now)
    rows = due(DeploySchedule, now).select_related(*NEEDED)
    for schedule in rows[: settings.SCHEDULE_TICK_MOST]:
        give_up = partial(pass_over, schedule, now, _leave_out)
        carefully(partial(take, schedule, now), schedule, give_up)


@transaction.atomic
def take(schedule: DeploySchedule, now: datetime) -> None:
    """Treat the planned times of a schedule that have come, and keep the next one."""
    found = claim(schedule, now)
    _note_missed(schedule, found.missed, more=found.more)
    for planned_at in found.running:
        _begin(schedule, planned_at)


def _note_missed(
    schedule: DeploySchedule, missed: Sequence[datetime], *, more: bool
) -> None:
    words = _("The portal was away, or in maintenance.")
    rows = [
        DeployTime(
            schedule=schedule, planned_at=moment, state=State.MISSED, reason=words
        )
        for moment in missed
    ]
    if rows and more:
        rows[0].reason = _("The portal was away; earlier times were missed as well.")
    DeployTime.objects.bulk_create(rows, ignore_conflicts=True)


def _begin(schedule: DeploySchedule, planned_at: datetime) -> None:
    row = DeployTime(schedule=schedule, planned_at=planned_at, state=State.ASKED)
    try:
        owner = owner_of(schedule)
    except Forbidden as error:
        words = turned_off(actor=BY_ITSELF, row=schedule, error=error)
        row.state, row.reason = State.SKIPPED, words
        row.save()
        return
    if held := why_not(schedule):
        row.state, row.reason = State.OVERLAPPED, held
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
    if schedule.notice:
        DeploySchedule.objects.filter(pk=schedule.pk).update(notice="")


def _leave_out(row: DeployTime, schedule: DeploySchedule, problem: str) -> None:
    """Say on the page and in the trail why a planned time brought no deploy, though it should have."""
    row.state, row.reason = State.SKIPPED, problem
    row.save()
    words = _("No deploy at %(time)s: %(problem)s")
    told = (words % {"time": row.planned_at, "problem": problem})[:500]
    DeploySchedule.objects.filter(pk=schedule.pk).update(notice=told)
    audit.record(BY_ITSELF, "deployschedule.skip", schedule, reason=told)


def why_not(schedule: DeploySchedule) -> str:
    """Say which former deploy of a schedule keeps the next one from being asked for; "" where none does.

    One that waits always does: a closed window or a lock gathers one deploy, not one for each planned time.
    """
    rows = DeployRequest.objects.filter(planned__schedule=schedule)
    waits = Q(state=DeployRequest.State.WAITING) | Q(deploy__status__in=NOT_BEGUN)
    rows = rows.select_related("deploy").defer("deploy__plan").order_by("pk")
    if waiting := rows.filter(waits).first():
        if waiting.deploy_id is None:
            return _("The former request has not been answered yet.")
        return _("#%(deploy)s waits already.") % {"deploy": waiting.deploy_id}
    if schedule.overlap != Overlap.SKIP:
        return ""
    going = rows.filter(deploy__status__in=Deploy.OPEN).first()
    if going is None:
        return ""
    return _("#%(deploy)s is still running.") % {"deploy": going.deploy_id}

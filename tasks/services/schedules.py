"""Schedules in people's hands: saved, turned on and off, deleted, run now. What happens by itself is in tasks/scheduling."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import limits
from adminset import audit
from adminset.audit import Actor
from adminset.crud import services as crud
from tasks.models import Run, Schedule, ScheduleTime
from tasks.services.launch import RunSpec, judge, request_run
from tasks.services.specs import spec_of
from tasks.services.vouching import vouch

SCHEDULER = audit.SystemActor("scheduler")
# What the next planned time hangs on.
TIMES = {
    "every_minutes",
    "crontab",
    "once_at",
    "time_zone",
    "starts_at",
    "ends_at",
    "enabled",
}


@transaction.atomic
def save_schedule(*, actor: Any, form: Any) -> Schedule:
    """Save a schedule's form. Whoever changes it is the one as whom it runs: nobody can make others run things.

    Raises:
        Forbidden: a token with limits asks, or the actor could not start this run now.
    """
    schedule = form.instance
    creating = schedule._state.adding
    changed = creating or form.has_changed()
    if changed:
        ensure_whole_user(actor)
        schedule.run_as = actor
        schedule.notice = ""
    saved: Schedule = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    if changed:
        judge(actor=actor, spec=spec_for(saved))
        vouch(saved)
    if creating or TIMES & set(form.changed_data):
        _plan(saved)
    return saved


def _plan(schedule: Schedule) -> None:
    """Keep the next planned time; what was planned for before now is none of its times."""
    schedule.plan_next()
    kept = {"next_at": schedule.next_at, "looked_at": schedule.looked_at}
    Schedule.objects.filter(pk=schedule.pk).update(**kept)


def ensure_whole_user(actor: Any) -> None:
    """Let pass who speaks with all rights of the user: a schedule runs with them, even after a token is revoked.

    Raises:
        Forbidden: a token speaks that may do less than its user.
    """
    limits.ensure_whole_user(
        actor,
        _("A token with limits may not make, change or turn on schedules."),
        _(
            "They run with all rights of their user. Do it in the portal, or with a token without limits."
        ),
    )


@transaction.atomic
def delete_schedule(*, actor: Actor, instance: Schedule) -> None:
    """Delete a schedule; its runs stay."""
    crud.delete(actor=actor, instance=instance)


@transaction.atomic
def switch_schedule(
    *, actor: Any, schedule: Schedule, enabled: bool, reason: str = ""
) -> None:
    """Turn a schedule on or off; who turns it on is the one as whom it runs. Times that wait are left out when it is off.

    Raises:
        Forbidden: as save_schedule, to turn it on.
    """
    if schedule.enabled == enabled:
        return
    if enabled:
        ensure_whole_user(actor)
        judge(actor=actor, spec=spec_for(schedule))
    before = audit.snapshot(schedule)
    schedule.enabled = enabled
    schedule.notice = reason[:500]
    if enabled:
        schedule.run_as = actor
    schedule.save(update_fields=["enabled", "notice", "run_as", "updated_at"])
    changes = audit.changed(before, audit.snapshot(schedule))
    audit.record(actor, "schedule.update", schedule, changes=changes, reason=reason)
    if enabled:
        vouch(schedule)
    _plan(schedule)


def spec_for(
    schedule: Schedule,
    planned_at: datetime | None = None,
    not_before: datetime | None = None,
) -> RunSpec:
    """Say what a run of the schedule is."""
    return spec_of(
        schedule,
        title=schedule.name,
        host_ids=tuple(schedule.hosts.values_list("pk", flat=True)),
        group_ids=tuple(schedule.groups.values_list("pk", flat=True)),
        host_filter=schedule.host_filter,
        schedule=schedule,
        planned_at=planned_at,
        not_before=not_before,
    )


def count_run(schedule: Schedule, run: Run) -> None:
    """Keep on the schedule that it ran once more."""
    Schedule.objects.filter(pk=schedule.pk).update(
        last_run_at=run.created_at, run_count=F("run_count") + 1
    )


@transaction.atomic
def run_now(*, actor: Any, schedule: Schedule) -> Run:
    """Run a schedule's work at once, as the one who asks and with that user's permissions; windows do not count.

    Raises:
        DomainError: as request_run.
    """
    run = request_run(actor=actor, spec=spec_for(schedule))
    ScheduleTime.objects.create(
        schedule=schedule,
        planned_at=timezone.now(),
        state=ScheduleTime.State.BY_HAND,
        run=run,
        reason=_("Asked for by %(name)s.") % {"name": actor.audit_name[:150]},
    )
    count_run(schedule, run)
    return run

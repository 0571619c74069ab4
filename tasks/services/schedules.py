"""Work that runs by itself: kept in step with beat's own table, fired exactly once for each planned time."""

import math
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from adminset import audit, maintenance
from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.errors import DomainError, Forbidden
from tasks.models import Run, Schedule
from tasks.services.launch import RunSpec, judge, request_run
from tasks.timing import FIELDS

FIRE = "tasks.fire_schedule"
SCHEDULER = audit.SystemActor("scheduler")


@transaction.atomic
def save_schedule(*, actor: Any, form: Any) -> Schedule:
    """Save a schedule's form. Whoever changes it is the one as whom it runs: nobody can make others run things.

    Raises:
        Forbidden: a token with limits asks, or the actor could not start this run now.
    """
    schedule = form.instance
    changed = form.has_changed() or schedule.pk is None
    if changed:
        ensure_whole_user(actor)
        schedule.run_as = actor
        schedule.notice = ""
    saved: Schedule = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    if changed:
        judge(actor=actor, spec=spec_of(saved, None))
        _tell_beat(saved)
    return saved


def ensure_whole_user(actor: Any) -> None:
    """Let pass who speaks with all rights of the user: a schedule runs with them, even after a token is revoked.

    Raises:
        Forbidden: a token speaks that may do less than its user.
    """
    if speaks_in_part(actor):
        raise Forbidden(
            _("A token with limits may not make, change or turn on schedules."),
            _(
                "They run with all rights of their user. Do it in the portal, or with a token without limits."
            ),
            code="limited_token",
        )


def speaks_in_part(actor: Any) -> bool:
    """Say whether a token speaks that may do less than its user."""
    token = getattr(actor, "token", None)
    return token is not None and not token.is_unlimited


@transaction.atomic
def delete_schedule(*, actor: Actor, instance: Schedule) -> None:
    """Delete a schedule; its runs stay."""
    task = instance.periodic_task
    crud.delete(actor=actor, instance=instance)
    if task is not None:
        task.delete()


@transaction.atomic
def switch_schedule(
    *, actor: Any, schedule: Schedule, enabled: bool, reason: str = ""
) -> None:
    """Turn a schedule on or off; who turns it on is the one as whom it runs.

    Raises:
        Forbidden: as save_schedule, to turn it on.
    """
    if schedule.enabled == enabled:
        return
    if enabled:
        ensure_whole_user(actor)
        judge(actor=actor, spec=spec_of(schedule, None))
    before = audit.snapshot(schedule)
    schedule.enabled = enabled
    schedule.notice = reason
    if enabled:
        schedule.run_as = actor
    schedule.save(update_fields=["enabled", "notice", "run_as", "updated_at"])
    _tell_beat(schedule)
    changes = audit.changed(before, audit.snapshot(schedule))
    audit.record(actor, "schedule.update", schedule, changes=changes, reason=reason)


def _tell_beat(schedule: Schedule) -> None:
    """Make beat's row say what the schedule says."""
    task = schedule.periodic_task or PeriodicTask()
    task.name = f"schedule {schedule.pk}"
    task.task = FIRE
    task.args = f"[{schedule.pk}]"
    task.enabled = schedule.enabled
    task.crontab = _ticks(schedule)
    task.save()
    if schedule.periodic_task_id is None:
        Schedule.objects.filter(pk=schedule.pk).update(periodic_task=task)
        schedule.periodic_task = task


def _ticks(schedule: Schedule) -> CrontabSchedule:
    """Give the crontab by which beat calls: beat counts intervals from whenever it likes, but planned times stand on a grid.

    It may call more often than the schedule runs; fire_schedule finds nothing to do then.
    """
    if schedule.every_minutes:
        step = math.gcd(schedule.every_minutes, 60)
        text, zone = ("0" if step == 60 else f"*/{step}") + " * * * *", "UTC"
    else:
        text, zone = schedule.crontab, schedule.time_zone
    fields = dict(zip(FIELDS, text.split(), strict=True)) | {"timezone": zone}
    return CrontabSchedule.objects.filter(
        **fields
    ).first() or CrontabSchedule.objects.create(**fields)


def spec_of(schedule: Schedule, planned_at: datetime | None) -> RunSpec:
    """Say what a run of the schedule is."""
    return RunSpec(
        kind=schedule.kind,
        command=schedule.command,
        module=schedule.module,
        arguments=schedule.arguments,
        playbook=schedule.playbook,
        title=schedule.name,
        host_ids=tuple(schedule.hosts.values_list("pk", flat=True)),
        group_ids=tuple(schedule.groups.values_list("pk", flat=True)),
        timeout_seconds=schedule.timeout_seconds,
        forks=schedule.forks,
        schedule=schedule,
        planned_at=planned_at,
    )


def fire_schedule(*, pk: int, now: datetime | None = None) -> Run | None:
    """Make the run of the planned time that has come; None where it exists already or must not be.

    However often this is called for a planned time, by however many schedulers: there is one run. An owner who may not do
    it any more turns the schedule off, and the page and the trail say so.
    """
    schedule = (
        Schedule.objects.select_related("run_as", "playbook", "periodic_task")
        .filter(pk=pk, enabled=True)
        .first()
    )
    if schedule is None:
        return None
    planned_at = schedule.plan.latest(now or timezone.now())
    # A time before it was saved or turned on is none of its times.
    if (
        planned_at <= schedule.updated_at
        or schedule.runs.filter(planned_at=planned_at).exists()
    ):
        return None
    owner = schedule.run_as
    if maintenance.is_on():
        _skip(schedule, planned_at, _("The portal is in maintenance."))
        return None
    if owner is None or not owner.may_sign_in:
        name = owner.username if owner else "-"
        _stop(
            schedule,
            _(
                "Turned off: its owner %(name)s cannot sign in any more. Save it as somebody who may."
            )
            % {"name": name},
        )
        return None
    try:
        return _run(schedule, owner, planned_at)
    except DomainError as error:
        if not isinstance(error, Forbidden):
            # A group that is empty today may have hosts tomorrow.
            _skip(schedule, planned_at, f"{error.message} {error.hint}".strip())
            return None
        words = _("Turned off: %(name)s could not start it: %(problem)s") % {
            "name": owner.username,
            "problem": f"{error.message} {error.hint}".strip(),
        }
        _stop(schedule, words)
        return None


def _run(schedule: Schedule, owner: Any, planned_at: datetime | None) -> Run | None:
    try:
        with transaction.atomic():
            run = request_run(actor=owner, spec=spec_of(schedule, planned_at))
            rows = Schedule.objects.filter(pk=schedule.pk)
            rows.update(last_run_at=run.created_at, run_count=F("run_count") + 1)
            return run
    except IntegrityError:
        # Another scheduler was quicker by a moment.
        if schedule.runs.filter(planned_at=planned_at).exists():
            return None
        raise


def _skip(schedule: Schedule, planned_at: datetime | None, problem: str) -> None:
    """Say on the page and in the trail why a planned time made no run."""
    words = _("No run at %(time)s: %(problem)s") % {
        "time": planned_at,
        "problem": problem,
    }
    Schedule.objects.filter(pk=schedule.pk).update(notice=words[:500])
    audit.record(SCHEDULER, "schedule.skip", schedule, reason=words)


def _stop(schedule: Schedule, words: str) -> None:
    switch_schedule(
        actor=SCHEDULER, schedule=schedule, enabled=False, reason=words[:500]
    )


def run_now(*, actor: Any, schedule: Schedule) -> Run:
    """Run a schedule's work at once, as the one who asks and with that user's permissions.

    Raises:
        DomainError: as request_run.
    """
    with transaction.atomic():
        run = request_run(actor=actor, spec=spec_of(schedule, None))
        Schedule.objects.filter(pk=schedule.pk).update(
            last_run_at=run.created_at, run_count=F("run_count") + 1
        )
    return run

"""Makes the run of a planned time: exactly one, as the schedule's owner, where windows and the former run allow it."""

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from tasks.models import Run, Schedule, ScheduleTime
from tasks.scheduling.calendars import TOLERANCE, closing, obstacle
from tasks.services.cancel import cancel_run
from tasks.services.launch import request_run
from tasks.services.schedules import (
    SCHEDULER,
    count_run,
    spec_for,
    switch_schedule,
)
from tasks.services.vouching import ensure_vouched

State = ScheduleTime.State


def begin_of(
    schedule: Schedule, planned_at: datetime, opens: datetime | None = None
) -> datetime:
    """Give when the run of a planned time begins: always the same moment, up to `jitter_seconds` later, in the same window.

    Args:
        opens: when the window is open, where it is not at the planned time.
    """
    if not schedule.jitter_seconds:
        return planned_at
    latest = planned_at + timedelta(seconds=schedule.jitter_seconds)
    closes = closing(schedule, opens or planned_at, latest)
    if closes is not None:
        latest = closes - timedelta(seconds=1)
    most = max(int((latest - planned_at).total_seconds()), 0)
    seed = f"{schedule.pk} {planned_at.timestamp():.0f}".encode()
    number = int.from_bytes(hashlib.sha256(seed).digest()[:8])
    return planned_at + timedelta(seconds=number % (most + 1))


def fire(row: ScheduleTime, schedule: Schedule, now: datetime) -> Run | None:
    """Make the run of a planned time that may run now, and write down on its row what became of it.

    An owner who may not do it any more turns the schedule off; any other refusal leaves out this time only.
    """
    owner = schedule.run_as
    if owner is None or not owner.may_sign_in:
        name = owner.username if owner else "-"
        words = _(
            "Turned off: its owner %(name)s cannot sign in any more. Save it as somebody who may."
        )
        _stop(row, schedule, words % {"name": name})
        return None
    try:
        run = _ask(owner, row, schedule, now)
    except Forbidden as error:
        words = _("Turned off: %(name)s could not start it: %(problem)s")
        told = {"name": owner.username, "problem": _said(error)}
        _stop(row, schedule, words % told)
        return None
    except DomainError as error:
        # A group that is empty today may have hosts tomorrow.
        leave_out(row, schedule, _said(error))
        return None
    return run


@transaction.atomic
def _ask(owner: Any, row: ScheduleTime, schedule: Schedule, now: datetime) -> Run:
    opens = now if obstacle(schedule, row.planned_at) else None
    begins = begin_of(schedule, row.planned_at, opens)
    spec = spec_for(schedule, row.planned_at, begins if begins > now else None)
    run = request_run(actor=owner, spec=spec)
    ensure_vouched(schedule)
    row.state, row.run, row.reason = State.RAN, run, ""
    row.save(update_fields=["state", "run", "reason"])
    count_run(schedule, run)
    if schedule.notice:
        Schedule.objects.filter(pk=schedule.pk).update(notice="")
    return run


def _said(error: DomainError) -> str:
    return f"{error.message} {error.hint}".strip()


def leave_out(row: ScheduleTime, schedule: Schedule, problem: str) -> None:
    """Say on the page and in the trail why a planned time made no run, though it should have."""
    words = _("No run at %(time)s: %(problem)s") % {
        "time": row.planned_at,
        "problem": problem,
    }
    settle(row, State.SKIPPED, problem)
    Schedule.objects.filter(pk=schedule.pk).update(notice=words[:500])
    audit.record(SCHEDULER, "schedule.skip", schedule, reason=words[:500])


def _stop(row: ScheduleTime, schedule: Schedule, words: str) -> None:
    settle(row, State.SKIPPED, words)
    switch_schedule(actor=SCHEDULER, schedule=schedule, enabled=False, reason=words)


def settle(
    row: ScheduleTime, state: str, reason: str, look_at: datetime | None = None
) -> None:
    """Write down what became of a planned time that makes no run, or not yet."""
    row.state, row.reason, row.look_at = state, reason[:500], look_at
    row.save(update_fields=["state", "reason", "look_at"])


def former_of(schedule: Schedule) -> Run | None:
    """Give the run of the schedule that goes on, or waits for a worker."""
    rows = schedule.runs.filter(status__in=Run.OPEN)
    return rows.only("title").order_by("pk").first()


def stop_former(schedule: Schedule) -> None:
    """Ask all that still runs to stop."""
    for run in schedule.runs.filter(status__in=Run.OPEN, cancel_requested_at=None):
        try:
            cancel_run(actor=SCHEDULER, run=run)
        except Conflict:
            # It has just ended.
            continue


def why_not(schedule: Schedule, planned_at: datetime, now: datetime) -> str:
    """Say why windows and blackouts keep a planned time from running now; "" where they do not.

    What is found a moment late counts as begun when it was planned; one that may wait is not kept by what is over.
    """
    found = obstacle(schedule, planned_at if now - planned_at <= TOLERANCE else now)
    if schedule.outside == Schedule.Outside.SKIP:
        found = obstacle(schedule, planned_at) or found
    return found

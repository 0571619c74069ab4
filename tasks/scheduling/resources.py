"""Schedules and calendars: one declaration each, pages and REST endpoints follow from it."""

from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter
from adminset.crud.resource import Action, Panel, Resource
from tasks.models import Calendar, Run, Schedule
from tasks.scheduling.filters import ScheduleFilter
from tasks.scheduling.forms import (
    KEEP_FIELDS,
    POLICY_FIELDS,
    TIME_FIELDS,
    CalendarForm,
    ScheduleForm,
)
from tasks.scheduling.planned import planned_times
from tasks.scheduling.tables import CalendarTable, ScheduleTable
from tasks.services.schedules import delete_schedule, save_schedule

LATEST, EDGES = 50, 10
TABS = ("tasks:schedule_list", "tasks:calendar_list")
CHANGE = "tasks.change_schedule"
WHAT = (
    "kind",
    "command",
    "module",
    "arguments",
    "script",
    "playbook",
    "role",
    "task_module",
    "hosts",
    "groups",
    "host_filter",
)
FOUND = ("next_at", "last_run_at", "last_result", "run_count", "failures")


def _for_list(rows: QuerySet) -> QuerySet:
    return rows.select_related("script", "playbook", "role", "task_module", "run_as")


def _times(request: HttpRequest, schedule: Schedule) -> dict[str, object]:
    """Give the next times, and what was told of the schedule."""
    return {
        "times": planned_times(schedule, timezone.now()),
        "waiting": schedule.times.filter(state="waits").order_by("planned_at")[:LATEST],
        "notices": schedule.notices.all()[:LATEST],
    }


def _results(request: HttpRequest, schedule: Schedule) -> dict[str, object]:
    """Give what became of the newest planned times; a run that the reader may not see is not led to."""
    times = list(
        schedule.times.select_related("run").defer("run__playbook_text")[:LATEST]
    )
    keys = [time.run_id for time in times if time.run_id]
    seen = Run.objects.visible_to(request.user).filter(pk__in=keys)
    return {"planned": times, "seen": set(seen.values_list("pk", flat=True))}


SCHEDULES = Resource(
    model=Schedule,
    table=ScheduleTable,
    form=ScheduleForm,
    filterset=ScheduleFilter,
    path="schedules",
    icon="calendar-days",
    search=("name", "command", "module"),
    tabs=TABS,
    detail_fields=(
        *WHAT,
        "when",
        *FOUND,
        *TIME_FIELDS[3:],
        *POLICY_FIELDS,
        *KEEP_FIELDS,
        "enabled",
        "run_as",
        "timeout_seconds",
        "forks",
    ),
    api_fields=(*ScheduleForm.Meta.fields, *FOUND, "notice"),
    # Secrets come in no file.
    import_fields=ScheduleForm.Meta.fields,
    bulk_fields=("enabled", "only_in", "not_in", "outside", *POLICY_FIELDS),
    panels=(
        Panel("times", _("Next times"), "tasks/_schedule_times.html", _times),
        Panel(
            "runs",
            _("Results"),
            "tasks/_schedule_results.html",
            _results,
            "tasks.view_run",
        ),
    ),
    actions=(
        Action(
            _("Run now"), "tasks:schedule_run_now", "play", "tasks.add_run", post=True
        ),
        Action(
            _("Pause"),
            "tasks:schedule_disable",
            "pause",
            CHANGE,
            when=lambda schedule: schedule.enabled,
        ),
        Action(
            _("Go on"),
            "tasks:schedule_enable",
            "power-off",
            CHANGE,
            post=True,
            when=lambda schedule: not schedule.enabled,
        ),
    ),
    list_queryset=_for_list,
    save=save_schedule,
    delete=delete_schedule,
)


def _edges(request: HttpRequest, calendar: Calendar) -> dict[str, Any]:
    """Give whether the calendar's times go on now, when they begin and end next, and which schedules heed it."""
    now = timezone.now()
    edges = islice(calendar.spans.edges(now), 4 * EDGES)
    shown = [(edge, calendar.reason_at(edge)) for edge in edges]
    heeding = Schedule.objects.visible_to(request.user)
    return {
        "now": calendar.reason_at(now),
        "edges": shown[:EDGES],
        "within": heeding.filter(only_in=calendar),
        "beside": heeding.filter(not_in=calendar),
    }


CALENDARS = Resource(
    model=Calendar,
    table=CalendarTable,
    form=CalendarForm,
    filterset=plain_filter(Calendar, "warns_everywhere"),
    path="calendars",
    icon="calendar-xmark",
    search=("name", "notes"),
    tabs=TABS,
    panels=(Panel("times", _("Next times"), "tasks/_calendar_times.html", _edges),),
)

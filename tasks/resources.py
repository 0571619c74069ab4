"""The pages and REST endpoints of runs, playbooks and schedules."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import Action, Panel, Resource
from tasks.filters import RunFilter, ScheduleFilter
from tasks.forms import LaunchForm, PlaybookForm, ScheduleForm
from tasks.models import Playbook, Run, Schedule
from tasks.selectors import with_seen_counts
from tasks.services import playbooks
from tasks.services.schedules import delete_schedule, save_schedule
from tasks.tables import PlaybookTable, RunTable, ScheduleTable

LATEST = 20


def _for_list(rows: QuerySet) -> QuerySet:
    return rows.select_related("schedule", "playbook").defer("playbook_text")


def _runs_of_playbook(request: HttpRequest, playbook: Playbook) -> dict[str, object]:
    runs = Run.objects.visible_to(request.user).filter(playbook=playbook)
    return {"runs": _for_list(runs)[:LATEST]}


def _schedule_runs(request: HttpRequest, schedule: Schedule) -> dict[str, object]:
    runs = Run.objects.visible_to(request.user).filter(schedule=schedule)
    return {"runs": _for_list(runs)[:LATEST]}


def _schedule_times(request: HttpRequest, schedule: Schedule) -> dict[str, object]:
    return {"times": schedule.plan.upcoming(timezone.now(), 5)}


class RunResource(Resource):
    """Runs: what machines are told of the number of hosts counts those that they may see."""

    def for_list(self, rows: QuerySet, user: Any) -> QuerySet:
        """Bring along how many hosts the reader sees, how many of them are done, and how many ended well."""
        return with_seen_counts(super().for_list(rows, user), user)


RUNS = RunResource(
    model=Run,
    table=RunTable,
    form=LaunchForm,
    filterset=RunFilter,
    path="runs",
    icon="terminal",
    search=("title", "command", "module"),
    tabs=("tasks:run_list", "tasks:playbook_list", "tasks:schedule_list"),
    api_fields=(
        "title",
        "kind",
        "command",
        "module",
        "arguments",
        "playbook",
        "status",
        "explanation",
        "requested_by_name",
        "schedule",
        "planned_at",
        "created_at",
        "started_at",
        "ended_at",
        "host_count",
        "done_count",
        "ok_count",
        "timeout_seconds",
        "forks",
    ),
    api_counts={
        "host_count": "seen_hosts",
        "done_count": "seen_done",
        "ok_count": "seen_ok",
    },
    list_queryset=_for_list,
    verbs=frozenset(),
)

PLAYBOOKS = Resource(
    model=Playbook,
    table=PlaybookTable,
    form=PlaybookForm,
    path="playbooks",
    icon="book",
    search=("name", "description"),
    tabs=RUNS.tabs,
    detail_fields=("name", "description"),
    panels=(
        Panel("content", _("Playbook"), "tasks/_playbook_content.html"),
        Panel(
            "runs", _("Runs"), "tasks/_runs.html", _runs_of_playbook, "tasks.view_run"
        ),
    ),
    actions=(Action(_("Run"), "tasks:playbook_run", "play", "tasks.add_run"),),
    save=playbooks.save_playbook,
)

SCHEDULES = Resource(
    model=Schedule,
    table=ScheduleTable,
    form=ScheduleForm,
    filterset=ScheduleFilter,
    path="schedules",
    icon="calendar-days",
    search=("name", "command", "module"),
    tabs=RUNS.tabs,
    detail_fields=(
        "kind",
        "command",
        "module",
        "arguments",
        "playbook",
        "hosts",
        "groups",
        "when",
        "next_at",
        "enabled",
        "run_as",
        "last_run_at",
        "run_count",
        "timeout_seconds",
        "forks",
    ),
    bulk_fields=("enabled",),
    panels=(
        Panel("times", _("Next times"), "tasks/_schedule_times.html", _schedule_times),
        Panel("runs", _("Runs"), "tasks/_runs.html", _schedule_runs, "tasks.view_run"),
    ),
    actions=(
        Action(
            _("Run now"), "tasks:schedule_run_now", "play", "tasks.add_run", post=True
        ),
        Action(
            _("Turn off"),
            "tasks:schedule_disable",
            "pause",
            "tasks.change_schedule",
            post=True,
            when=lambda s: s.enabled,
        ),
        Action(
            _("Turn on"),
            "tasks:schedule_enable",
            "power-off",
            "tasks.change_schedule",
            post=True,
            when=lambda s: not s.enabled,
        ),
    ),
    list_queryset=lambda rows: rows.select_related("playbook", "run_as"),
    save=save_schedule,
    delete=delete_schedule,
)

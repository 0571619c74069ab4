"""The pages and REST endpoints of runs."""

from typing import Any

from django.db.models import QuerySet

from adminset.crud.resource import Resource
from tasks.filters import RunFilter
from tasks.launching.forms import LaunchForm
from tasks.models import Run
from tasks.selectors import with_seen_counts
from tasks.tables import RunTable


def _for_list(rows: QuerySet) -> QuerySet:
    # What a run is called and what it did stand in other rows: brought along, so that a longer page asks no more often.
    named = rows.select_related("schedule", "playbook", "script", "role", "task_module")
    long = ("playbook__content", "task_module__text", "task_module__definition")
    return named.defer("playbook_text", *long)


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
    tabs=("tasks:run_list", "tasks:template_list"),
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
    moves=lambda rows: any(row.is_open for row in rows),
    verbs=frozenset(),
)

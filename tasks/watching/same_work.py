"""Former runs of the same work: which they are, and how long they usually took."""

from datetime import timedelta
from statistics import median
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from tasks.models import Run

# So far back former runs are looked for, counted in runs; a schedule's own are found however old.
LOOK_BACK = 5000
COUNTED = 10
Kind = Run.Kind
# What makes the work of a kind the same, whatever the hosts.
FIELDS: dict[str, tuple[str, ...]] = {
    Kind.COMMAND: ("command",),
    Kind.SCRIPT: ("script_text",),
    Kind.MODULE: ("module", "arguments"),
    Kind.FILES: ("distribution",),
}
ITEMS: dict[str, str] = {
    Kind.SCRIPT: "script",
    Kind.PLAYBOOK: "playbook",
    Kind.ROLE: "role",
}


def former_runs(user: Any, run: Run) -> QuerySet[Run]:
    """Give the runs before this one that did the same work and that the user may see, newest first."""
    runs = Run.objects.visible_to(user).filter(pk__lt=run.pk).order_by("-pk")
    runs = runs.defer("playbook_text", "script_text")
    if run.schedule_id:
        return runs.filter(schedule=run.schedule_id)
    runs = runs.filter(pk__gte=run.pk - LOOK_BACK, kind=run.kind)
    if run.task_module_id:
        return runs.filter(task_module=run.task_module_id)
    return runs.filter(**_work_of(run))


def _work_of(run: Run) -> dict[str, Any]:
    """Give what another run must have to be the same work: an item of the library by itself, whatever its version."""
    item = ITEMS.get(run.kind)
    if item and getattr(run, f"{item}_id"):
        return {item: getattr(run, f"{item}_id")}
    return {name: getattr(run, name) for name in FIELDS.get(run.kind, ("title",))}


def usual_duration(user: Any, run: Run) -> timedelta | None:
    """Give how long the same work usually took (the median of the last that came to their end); None where nobody knows."""
    ended = former_runs(user, run).filter(
        status__in=(Run.Status.OK, Run.Status.FAILED),
        started_at__isnull=False,
        ended_at__isnull=False,
    )
    times = ended.values_list("started_at", "ended_at")[:COUNTED]
    lengths = [(end - begin).total_seconds() for begin, end in times if begin and end]
    return timedelta(seconds=median(lengths)) if lengths else None


def time_left(run: Run, usual: timedelta | None) -> timedelta | None:
    """Give how long a run that goes on may still take, by what was usual; None where that cannot be said."""
    if usual is None or run.started_at is None or not run.is_open:
        return None
    left = usual - (timezone.now() - run.started_at)
    return left if left > timedelta() else None

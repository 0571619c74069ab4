"""What web-hooks to chats say of deliveries beside the line of the trail, and of which projects each object of the room is."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.apps import apps

from adminset.webhook_subjects import (
    ALSO_TOLD,
    FINDERS,
    PROJECTS,
    Finder,
    Subject,
)
from appconf.models import Project
from delivery.models import Deploy

# How each kind of object leads to its projects.
PATHS: dict[str, tuple[str, ...]] = {
    "appconf.project": ("pk",),
    "appconf.environment": ("project",),
    "appconf.variable": ("project", "environment__project"),
    "appconf.configfile": ("project",),
    "appconf.configversion": ("file__project",),
    "appconf.pulltoken": ("project",),
    "appconf.dependency": ("project", "on_project"),
    "delivery.configpush": ("environment__project",),
    "delivery.configdrift": ("environment__project",),
    "delivery.artefact": ("project",),
    "delivery.pipeline": ("project",),
    "delivery.deployschedule": ("pipeline__project",),
    "delivery.githook": ("pipeline__project",),
    "delivery.followup": ("pipeline__project",),
    "delivery.releaseset": ("places__pipeline__project",),
}


def projects(user: Any) -> list[tuple[int, str]]:
    """List the projects that a user may see."""
    rows = Project.objects.visible_to(user).order_by("name", "pk")
    return [(pk, name) for pk, name in rows.values_list("pk", "name")]


def deploys(keys: Iterable[int]) -> dict[int, Subject]:
    """Say of some deploys who asked for them, how they stand, and why."""
    rows = Deploy.objects.filter(pk__in=list(keys)).select_related("pipeline")
    return {row.pk: _subject(row) for row in rows.defer("plan")}


def _subject(row: Deploy) -> Subject:
    return Subject(
        projects=frozenset({row.pipeline.project_id}),
        who=row.requested_by_name,
        state=str(row.get_status_display()),
        reason=row.reason,
        why=row.explanation or row.waiting_for,
    )


def _by_paths(label: str, paths: tuple[str, ...]) -> Finder:
    def find(keys: Iterable[int]) -> dict[int, Subject]:
        rows = apps.get_model(label)._default_manager.filter(pk__in=list(keys))
        found: dict[int, set[int]] = defaultdict(set)
        for key, *own in rows.order_by().values_list("pk", *paths):
            found[key].update(pk for pk in own if pk is not None)
        return {key: Subject(projects=frozenset(own)) for key, own in found.items()}

    return find


def join() -> None:
    """Make the room known to web-hooks."""
    FINDERS["delivery.deploy"] = deploys
    # A deploy's own words name hosts, and what they said.
    ALSO_TOLD["delivery.deploy"] = "cmdb.host"
    FINDERS.update({label: _by_paths(label, own) for label, own in PATHS.items()})
    if projects not in PROJECTS:
        PROJECTS.append(projects)

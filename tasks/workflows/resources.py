"""The pages and REST endpoints of workflows and of their runs."""

from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.crud.resource import Action, ListLink, Panel, Resource
from adminset.querysets import may
from tasks.models import Workflow, WorkflowRun, WorkflowStep
from tasks.workflows.definition import freeze
from tasks.workflows.drawing import draw
from tasks.workflows.forms import WorkflowForm
from tasks.workflows.saving import save_workflow
from tasks.workflows.tables import (
    WorkflowFilter,
    WorkflowRunFilter,
    WorkflowRunTable,
    WorkflowTable,
)

LATEST = 20


def _steps(request: HttpRequest, workflow: Workflow) -> dict[str, Any]:
    """Give the drawing and the list of steps."""
    edges: dict[int, list[Any]] = {}
    for edge in workflow.edges.select_related("source"):
        edges.setdefault(edge.target_id, []).append(edge)
    related = ("script", "playbook", "role", "task_module", "template", "rule")
    steps = list(workflow.steps.select_related(*related))
    for step in steps:
        step.after = edges.get(step.pk, [])  # type: ignore[attr-defined]
        step.icon = WorkflowStep.ICONS[step.does]  # type: ignore[attr-defined]
    return {
        "picture": draw(freeze(workflow)),
        "steps": steps,
        "changes": may(request.user, "change", workflow),
        "kinds": [
            {"value": kind.value, "title": kind.label, "icon": WorkflowStep.ICONS[kind]}
            for kind in WorkflowStep.Does
        ],
    }


def _runs(request: HttpRequest, workflow: Workflow) -> dict[str, Any]:
    rows = WorkflowRun.objects.visible_to(request.user).filter(workflow=workflow)
    return {"runs": rows.defer("definition")[:LATEST]}


def _with_counts(rows: QuerySet) -> QuerySet:
    counted = rows.select_related("owner").annotate(step_count=Count("steps"))
    # A query that groups forgets the model's own order.
    return counted.order_by("name")


WORKFLOWS = Resource(
    model=Workflow,
    table=WorkflowTable,
    form=WorkflowForm,
    filterset=WorkflowFilter,
    path="workflows",
    icon="diagram-project",
    search=("name", "description"),
    tabs=("tasks:workflow_list", "tasks:workflowrun_list"),
    detail_fields=("description", "variables", "owner", "version", "enabled"),
    api_fields=("name", "description", "variables", "enabled", "version"),
    bulk_fields=("enabled",),
    panels=(
        Panel("steps", _("Steps"), "tasks/workflows/_steps.html", _steps),
        Panel(
            "runs",
            _("Runs"),
            "tasks/workflows/_runs.html",
            _runs,
            "tasks.view_workflowrun",
        ),
    ),
    actions=(
        Action(
            _("Start"),
            "tasks:workflow_start",
            "play",
            "tasks.add_workflowrun",
            when=lambda workflow: workflow.enabled,
        ),
        Action(_("Export"), "tasks:workflow_export", "download", "tasks.view_workflow"),
    ),
    list_links=(
        ListLink(
            _("From a file"),
            "file-import",
            "tasks.add_workflow",
            lambda query: reverse("tasks:workflow_import"),
        ),
    ),
    list_queryset=_with_counts,
    save=save_workflow,
    verbs=frozenset({"add", "change", "delete"}),
)

WORKFLOW_RUNS = Resource(
    model=WorkflowRun,
    table=WorkflowRunTable,
    form=WorkflowForm,
    filterset=WorkflowRunFilter,
    path="workflow-runs",
    icon="diagram-project",
    search=("name", "requested_by_name"),
    tabs=WORKFLOWS.tabs,
    api_fields=(
        "name",
        "workflow",
        "version",
        "variables",
        "status",
        "explanation",
        "requested_by_name",
        "created_at",
        "ended_at",
    ),
    list_queryset=lambda rows: rows.select_related("workflow").defer("definition"),
    verbs=frozenset(),
)

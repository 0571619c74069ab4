"""Rows of workflows by who may see or change them."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _

from tasks.models import Run, Workflow, WorkflowRun, WorkflowStep, WorkflowStepRun


def find_step(user: Any, pk: int) -> WorkflowStep:
    """Get a step of a workflow that the user may change.

    Raises:
        Http404: there is none, or its workflow cannot be seen. PermissionDenied: it may not be changed.
    """
    seen = Workflow.objects.visible_to(user)
    step = WorkflowStep.objects.filter(pk=pk, workflow__in=seen).first()
    if step is None:
        raise Http404(_("There is no such step."))
    mine = Workflow.objects.visible_to(user, "change")
    if not mine.filter(pk=step.workflow_id).exists():
        raise PermissionDenied("tasks.change_workflow")
    return step


def find_run(user: Any, pk: int, action: str = "view") -> WorkflowRun:
    """Get a run of a workflow on which the user may do the action.

    Raises:
        Http404: there is none, or it cannot be seen. PermissionDenied: it may only be looked at.
    """
    rows = WorkflowRun.objects.visible_to(user)
    run = rows.select_related("workflow").filter(pk=pk).first()
    if run is None:
        raise Http404(_("There is no such run of a workflow."))
    if action != "view" and not may_run(user, pk, action):
        raise PermissionDenied(f"tasks.{action}_workflowrun")
    return run


def may_run(user: Any, pk: int, action: str) -> bool:
    """Say whether the user may do something with a run of a workflow."""
    return bool(WorkflowRun.objects.visible_to(user, action).filter(pk=pk).exists())


def runs_seen(user: Any, steps: Iterable[WorkflowStepRun]) -> set[int]:
    """Give the ids of those runs of steps that the user may see."""
    made = [step.run_id for step in steps if step.run_id]
    rows = Run.objects.visible_to(user).filter(pk__in=made)
    return set(rows.values_list("pk", flat=True))

"""Watching a run of a workflow, and steering it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from adminset.errors import DomainError
from adminset.http import is_htmx, requires
from tasks.approvals.asking import STEP, approvals_of
from tasks.models import WorkflowRun, WorkflowStep, WorkflowStepRun
from tasks.workflows import calls
from tasks.workflows.drawing import draw
from tasks.workflows.finding import find_run, may_run, runs_seen
from tasks.workflows.forms import SkipForm
from tasks.workflows.graph import graph_of
from tasks.workflows.resources import WORKFLOW_RUNS


def _head(run: WorkflowRun, title: str = "") -> dict[str, Any]:
    crumbs: list[tuple[Any, str | None]] = [
        (_("Runs of workflows"), WORKFLOW_RUNS.url("list"))
    ]
    if title:
        crumbs.append((str(run), run.get_absolute_url()))
    name = title or str(run)
    return {"run": run, "page_title": name, "crumbs": [*crumbs, (name, None)]}


@requires("tasks.view_workflowrun")
@require_safe
def workflowrun_detail(request: Any, pk: int) -> HttpResponse:
    """Show how a run of a workflow stands: drawing and list; for htmx only what changes."""
    run = find_run(request.user, pk)
    steps = list(run.steps.select_related("run"))
    _dress(request, run, steps)
    states = {step.key: {"state": step.state, "label": step.label} for step in steps}
    stops, steers = (may_run(request.user, pk, each) for each in ("cancel", "control"))
    context = _head(run) | {
        "steps": steps,
        "picture": draw(run.definition, states),
        "done": sum(not step.is_open for step in steps),
        "can_cancel": run.is_open and not run.cancel_requested_at and stops,
        "can_resume": steers and run.status in ("failed", "cancelled"),
        "steers": steers and not run.cancel_requested_at,
    }
    template = "_run_state" if is_htmx(request) else "run_detail"
    return render(request, f"tasks/workflows/{template}.html", context)


def _dress(request: Any, run: WorkflowRun, steps: list[WorkflowStepRun]) -> None:
    """Give each step what its row shows: what it comes after, its approval, its run where the reader may see it."""
    graph = graph_of(run.definition)
    open_runs = runs_seen(request.user, steps)
    titles = {step.key: step.title or step.key for step in steps}
    for step in steps:
        row: Any = step
        row.icon = WorkflowStep.ICONS[step.does]
        row.kind = WorkflowStep.Does(step.does).label
        row.after = [
            {"title": titles[edge.source], "when": edge.when}
            for edge in graph.into(step.key)
        ]
        row.seen_run = step.run if step.run_id in open_runs else None
        row.given = step.values if step.run_id in open_runs or not step.run_id else {}
        if step.does == WorkflowStep.Does.APPROVAL:
            row.approval = approvals_of(STEP, step.pk).first()


@requires("tasks.cancel_workflowrun")
@require_POST
def workflowrun_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a run of a workflow."""
    run = find_run(request.user, pk, "cancel")
    calls.enqueue_cancel(actor=request.user, run=run)
    return redirect(run)


@requires("tasks.control_workflowrun")
@require_POST
def workflowrun_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with a run that failed, from its failed steps."""
    run = find_run(request.user, pk, "control")
    calls.enqueue_resume(actor=request.user, run=run)
    return redirect(run)


@requires("tasks.control_workflowrun")
@require_POST
def workflowrun_retry(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Run a failed step again."""
    run = find_run(request.user, pk, "control")
    calls.enqueue_retry(actor=request.user, run=run, key=key)
    return redirect(run)


@requires("tasks.control_workflowrun")
@require_http_methods(["GET", "HEAD", "POST"])
def workflowrun_skip(request: HttpRequest, pk: int, key: str) -> HttpResponse:
    """Ask why a failed step may count as done; then go on without it."""
    run = find_run(request.user, pk, "control")
    step = run.steps.filter(key=key).first()
    if step is None:
        raise Http404(_("There is no such step."))
    form = SkipForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            calls.enqueue_skip(actor=request.user, run=run, key=key, reason=reason)
            return redirect(run)
        except DomainError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
    title = _("Skip %(step)s") % {"step": step.title or key}
    context = _head(run, title) | {
        "form": form,
        "cancel_url": run.get_absolute_url(),
        "submit_title": _("Skip it"),
    }
    status = 422 if form.errors else 200
    return render(request, "generic/form.html", context, status=status)

"""Making a workflow: its steps, its file, and its start."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from adminset.crud.views import find
from adminset.errors import DomainError
from adminset.http import requires
from tasks.models import Workflow, WorkflowStep
from tasks.workflows import calls, files, saving
from tasks.workflows.definition import freeze
from tasks.workflows.drawing import draw
from tasks.workflows.finding import find_step
from tasks.workflows.forms import FileForm, StartForm
from tasks.workflows.resources import WORKFLOWS
from tasks.workflows.step_forms import FORMS


def _crumbs(workflow: Workflow | None, title: str) -> dict[str, Any]:
    crumbs: list[tuple[Any, str | None]] = [(_("Workflows"), WORKFLOWS.url("list"))]
    if workflow is not None:
        crumbs.append((str(workflow), _steps_url(workflow)))
    return {"page_title": title, "crumbs": [*crumbs, (title, None)]}


def _steps_url(workflow: Workflow) -> str:
    return f"{workflow.get_absolute_url()}?tab=steps"


@requires("tasks.change_workflow")
@require_http_methods(["GET", "HEAD", "POST"])
def workflow_step_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a new step; `?does=` says which kind."""
    workflow = find(WORKFLOWS, request.user, pk, "change")
    does = request.GET.get("does", "")
    if does not in FORMS:
        does = WorkflowStep.Does.WORK
    return _step_page(
        request, WorkflowStep(workflow=workflow, does=does), _("Add step")
    )


@requires("tasks.change_workflow")
@require_http_methods(["GET", "HEAD", "POST"])
def workflowstep_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Take changes to a step."""
    return _step_page(request, find_step(request.user, pk), _("Edit step"))


def _step_page(request: HttpRequest, step: WorkflowStep, title: str) -> HttpResponse:
    data, sent = (
        (request.POST, request.FILES) if request.method == "POST" else (None, None)
    )
    form = FORMS[step.does](data, sent, user=request.user, instance=step)
    if request.method == "POST" and form.is_valid() and _saved(request, step, form):
        return redirect(_steps_url(step.workflow))
    context = _crumbs(step.workflow, title) | {
        "form": form,
        "step": step,
        "is_work": step.does == WorkflowStep.Does.WORK,
        "cancel_url": _steps_url(step.workflow),
    }
    status = 422 if form.errors else 200
    return render(request, "tasks/workflows/step_form.html", context, status=status)


def _saved(request: Any, step: WorkflowStep, form: Any) -> bool:
    new = step.pk is None
    try:
        saving.save_step(
            actor=request.user, workflow=step.workflow, form=form, edges=form.edges()
        )
    except DomainError as error:
        if new:
            # Nothing was kept: the row that the form holds is none of the database.
            step.pk = None
        form.add_error(None, f"{error.message} {error.hint}".strip())
        return False
    messages.success(request, _("%(name)s is saved.") % {"name": step})
    return True


@requires("tasks.change_workflow")
@require_POST
def workflowstep_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a step out."""
    step = find_step(request.user, pk)
    workflow = step.workflow
    try:
        saving.delete_step(actor=request.user, step=step)
        messages.success(request, _("%(name)s is deleted.") % {"name": step})
    except DomainError as error:
        messages.error(request, f"{error.message} {error.hint}".strip())
    return redirect(_steps_url(workflow))


@requires("tasks.view_workflow")
@require_safe
def workflow_export(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a workflow as a YAML file, without its secrets."""
    workflow = find(WORKFLOWS, request.user, pk)
    answer = HttpResponse(
        files.as_text(workflow), content_type="application/yaml; charset=utf-8"
    )
    name = slugify(workflow.name) or "workflow"
    answer["Content-Disposition"] = f'attachment; filename="{name}.yml"'
    return answer


@requires("tasks.add_workflow", "tasks.change_workflow")
@require_http_methods(["GET", "HEAD", "POST"])
def workflow_import(request: HttpRequest) -> HttpResponse:
    """Take a workflow from YAML."""
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            taken = files.take_text(
                actor=request.user, text=given["text"], replace=given["replace"]
            )
            return redirect(_steps_url(taken))
        except DomainError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
    context = _crumbs(None, _("Import a workflow")) | {
        "form": form,
        "cancel_url": WORKFLOWS.url("list"),
        "submit_title": _("Import"),
    }
    status = 422 if form.errors else 200
    return render(request, "tasks/workflows/file_form.html", context, status=status)


@requires("tasks.add_workflowrun")
@require_http_methods(["GET", "HEAD", "POST"])
def workflow_start(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what will run, ask for the variables, then start it."""
    workflow = find(WORKFLOWS, request.user, pk)
    form = StartForm(
        request.POST if request.method == "POST" else None, workflow=workflow
    )
    if request.method == "POST" and form.is_valid():
        try:
            run = calls.enqueue_start(
                actor=request.user, workflow=workflow, variables=form.variables()
            )
            return redirect(run)
        except DomainError as error:
            form.add_error(None, f"{error.message} {error.hint}".strip())
    context = _crumbs(workflow, _("Start")) | {
        "form": form,
        "workflow": workflow,
        "picture": draw(freeze(workflow)),
        "steps": workflow.steps.all(),
        "cancel_url": reverse("tasks:workflow_detail", args=[pk]),
    }
    status = 422 if form.errors else 200
    return render(request, "tasks/workflows/start.html", context, status=status)

"""Workflows for programs: start, follow, cancel, resume; and a workflow as data."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.endpoint import ResourceEndpoint
from adminset.crud.views import find
from adminset.errors import DomainError
from tasks.models import WorkflowRun
from tasks.run_api import inputs
from tasks.run_api.repeated import REPLAYED, once
from tasks.run_api.shapes import REPEAT_KEY, Reason
from tasks.workflows import calls, files
from tasks.workflows.finding import find_run, runs_seen
from tasks.workflows.resources import WORKFLOW_RUNS, WORKFLOWS

ANSWER = {200: OpenApiResponse(description="{id, status, explanation, steps: [...]}")}


class _OfRuns(ResourceEndpoint):
    """What the endpoints of runs share."""

    resource = WORKFLOW_RUNS
    permission = "tasks.view_workflowrun"


def told(user: Any, run: WorkflowRun) -> dict[str, Any]:
    """Say how a run of a workflow stands, step by step; values only of runs that the caller may see."""
    steps = list(run.steps.all())
    seen = runs_seen(user, steps)
    return {
        "id": run.pk,
        "workflow": run.name,
        "version": run.version,
        "status": run.status,
        "ended": not run.is_open,
        "explanation": run.explanation,
        "variables": run.variables,
        "steps": [
            {
                "key": step.key,
                "title": step.title,
                "does": step.does,
                "status": step.status,
                "attempt": step.attempt,
                "explanation": step.explanation,
                "run": step.run_id,
                "values": step.values if step.run_id in (None, *seen) else {},
                "started_at": step.started_at,
                "ended_at": step.ended_at,
            }
            for step in steps
        ],
    }


class Start(_OfRuns):
    """Start a workflow."""

    permission = "tasks.add_workflowrun"
    needs = {"POST": "add"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Start a workflow",
        description='Send {"variables": {"name": "text"}}; follow it under /workflow-runs/<id>/steps/ until `ended`.',
        request=dict,
        responses={**ANSWER, 201: ANSWER[200]},
        parameters=[REPEAT_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Start it."""
        workflow = find(WORKFLOWS, request.user, pk)
        given = request.data if isinstance(request.data, dict) else {}

        def begin() -> int:
            run = calls.enqueue_start(
                actor=request.user,
                workflow=workflow,
                variables=given.get("variables") or {},
            )
            return run.pk

        pk_of_run, replayed = once(request, begin)
        # Who may start workflows without looking at them is told too.
        run = WORKFLOW_RUNS.rows(request.user, "add").filter(pk=pk_of_run).first()
        if run is None:
            raise Http404
        if replayed:
            return Response(told(request.user, run), headers={REPLAYED: "true"})
        return Response(told(request.user, run), status=status.HTTP_201_CREATED)


class Steps(_OfRuns):
    """How the steps of a run stand."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(summary="Follow a run of a workflow", responses=ANSWER)
    def get(self, request: Request, pk: int) -> Response:
        """Give them."""
        return Response(told(request.user, find_run(request.user, pk)))


class Cancel(_OfRuns):
    """Stop a run."""

    permission = "tasks.cancel_workflowrun"
    needs = {"POST": "cancel"}
    http_method_names = ["post", "options"]

    @extend_schema(summary="Cancel a run of a workflow", request=None, responses=ANSWER)
    def post(self, request: Request, pk: int) -> Response:
        """Stop it."""
        run = find_run(request.user, pk, "cancel")
        calls.enqueue_cancel(actor=request.user, run=run)
        return Response(told(request.user, run))


class Resume(_OfRuns):
    """Go on from the failed steps."""

    permission = "tasks.control_workflowrun"
    needs = {"POST": "control"}
    http_method_names = ["post", "options"]

    @extend_schema(summary="Resume a run of a workflow", request=None, responses=ANSWER)
    def post(self, request: Request, pk: int) -> Response:
        """Resume it."""
        run = find_run(request.user, pk, "control")
        calls.enqueue_resume(actor=request.user, run=run)
        return Response(told(request.user, run))


class Retry(_OfRuns):
    """Run a failed step again."""

    permission = "tasks.control_workflowrun"
    needs = {"POST": "control"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Retry a failed step",
        description="Also while other steps go on; from now on the run goes on as the one who asks.",
        request=None,
        responses=ANSWER,
    )
    def post(self, request: Request, pk: int, key: str) -> Response:
        """Retry it."""
        run = find_run(request.user, pk, "control")
        calls.enqueue_retry(actor=request.user, run=run, key=key)
        return Response(told(request.user, run))


class Skip(_OfRuns):
    """Let a failed step count as done."""

    permission = "tasks.control_workflowrun"
    needs = {"POST": "control"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Skip a failed step",
        description="`reason` has to be given, and stays on its page. An approval cannot be skipped.",
        request=Reason,
        responses=ANSWER,
    )
    def post(self, request: Request, pk: int, key: str) -> Response:
        """Go on without it."""
        run = find_run(request.user, pk, "control")
        reason = inputs.reason(request.data)
        calls.enqueue_skip(actor=request.user, run=run, key=key, reason=reason)
        return Response(told(request.user, run))


class Definition(ResourceEndpoint):
    """A workflow with its steps as data."""

    resource = WORKFLOWS
    permission = "tasks.view_workflow"
    http_method_names = ["get", "put", "head", "options"]

    @extend_schema(summary="A workflow with its steps", responses={200: dict})
    def get(self, request: Request, pk: int) -> Response:
        """Give it, without secrets."""
        return Response(files.as_data(find(WORKFLOWS, request.user, pk)))

    @extend_schema(
        summary="Put steps in place of a workflow's",
        request=dict,
        responses={200: dict},
    )
    def put(self, request: Request, pk: int) -> Response:
        """Take it; secrets of steps that keep their key stay."""
        workflow = find(WORKFLOWS, request.user, pk, "change")
        if not isinstance(request.data, dict):
            raise DomainError(_("Send one JSON object."))
        data = {**request.data, "name": workflow.name}
        taken = files.take(actor=request.user, data=data, replace=True)
        return Response(files.as_data(taken))

"""REST of deploys: plan, begin by the plan's hash, look, stop, pause, go on, logs. Approval is for people in a session only."""

import uuid
from dataclasses import asdict
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.endpoint import ResourceEndpoint
from appconf.vouching import ensure_may_deploy
from delivery.asked import keeping
from delivery.asked.asking import ask
from delivery.models import Deploy, DeployRequest, Pipeline
from delivery.planning.shown import shown_plan
from delivery.resources import DEPLOYS, PIPELINES
from delivery.rest import inputs
from delivery.rest.asked_shapes import WAIT, DeployAsk, PlanAsk
from delivery.rest.shapes import (
    PlanAnswer,
    RequestShape,
)
from delivery.safety.reach import ensure_goes_to
from delivery.triggers.wishing import wish
from tasks.run_api.inputs import seconds
from tasks.run_api.repeated import REPLAYED, once
from tasks.run_api.shapes import REPEAT_KEY
from tasks.run_api.waiting import patiently

PLAN = "plan"
WISHED = {
    200: OpenApiResponse(
        RequestShape, description="What the same request asked for before."
    ),
    202: RequestShape,
}


class OfDeploys(ResourceEndpoint):
    """What the endpoints of deploys share."""

    resource = DEPLOYS
    permission = "delivery.view_deploy"
    http_method_names = ["get", "head", "options"]


class _Begins(OfDeploys):
    permission = "delivery.add_deploy"
    needs = {"POST": "add", "GET": "add", "HEAD": "add"}
    http_method_names = ["post", "options"]


class AskPlan(_Begins):
    """Ask for a plan."""

    @extend_schema(
        summary="Ask what a deploy would do",
        description="A worker makes the plan, since it asks the source: look for it under the key. Nothing happens on a host.",
        request=PlanAsk,
        responses={202: PlanAnswer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Have the plan made."""
        user: Any = request.user
        pipeline = _pipeline(user, pk)
        asked = inputs.asked_of(
            user, pipeline, inputs.body_of(request.data, inputs.PLAN)
        )
        ensure_may_deploy(user, asked.environment)
        ensure_goes_to(pipeline, asked.environment)
        token = getattr(request.auth, "pk", None)
        about = {
            "pipeline": pipeline.pk,
            "environment": asked.environment.pk,
            "ref_kind": asked.ref_kind,
            "ref": str(asked.artefact.pk) if asked.artefact else asked.ref,
            "host_ids": asked.host_ids,
            "kind": asked.kind,
            "token": token,
        }
        return Response(_told(user, ask(user, PLAN, about)), status=202)


class Plan(_Begins):
    """The plan that was asked for."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(
        summary="The plan that was asked for",
        description="`plan.hash` is what a deploy is begun with.",
        parameters=[WAIT],
        responses={200: PlanAnswer},
    )
    def get(self, request: Request, pk: int, key: str) -> Response:
        """Give it, once it is made."""
        user, token = request.user, getattr(request.auth, "pk", None)

        def look() -> tuple[keeping.Question, bool]:
            found = keeping.find_of(user, key, PLAN)
            # A plan tells as much as the token that asked for it may know.
            if found is None or (found.about["pipeline"], found.about.get("token")) != (
                pk,
                token,
            ):
                raise Http404(_("That plan is forgotten. Ask for it again."))
            return found, not found.is_open

        wait = seconds(request.query_params.get("wait") or 0)
        return Response(_told(user, patiently(look, lambda found: False, wait)))


def _told(user: Any, question: keeping.Question) -> dict[str, Any]:
    shown = shown_plan(user, question.answer or {})
    kept = asdict(question)
    told = {name: kept[name] for name in ("key", "state", "message", "hint", "code")}
    return told | {"plan": shown.told if shown else None}


def _pipeline(user: Any, pk: int) -> Pipeline:
    rows = Pipeline.objects.visible_to(user).select_related("project", "template")
    found = rows.filter(pk=pk).first()
    if found is None:
        name = PIPELINES.verbose_name
        raise Http404(_("There is no such %(name)s.") % {"name": name})
    return found


class Begin(_Begins):
    """Begin a deploy."""

    @extend_schema(
        summary="Begin the deploy of a plan",
        description="With what the plan was made of, and its hash: where the plan is another one by now, the request is "
        "refused (code `plan_changed`). A worker writes the deploy down: look at the request under its number.",
        request=DeployAsk,
        responses=WISHED,
        parameters=[REPEAT_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Write down the request."""
        user: Any = request.user
        pipeline = _pipeline(user, pk)
        body = inputs.body_of(request.data, inputs.DEPLOY)
        asked = inputs.asked_of(user, pipeline, body)
        ensure_may_deploy(user, asked.environment)
        ensure_goes_to(pipeline, asked.environment)
        wanted: dict[str, Any] = {
            "plan_hash": inputs.text(body, "plan_hash", 64, needed=True),
            "reason": inputs.text(body, "reason", inputs.LONGEST_REASON, needed=True),
            "emergency_reason": inputs.text(
                body, "emergency_reason", inputs.LONGEST_REASON
            ),
            "wait": inputs.yes(body, "wait", True),
        }

        def begin() -> int:
            return wish(
                actor=user,
                key=f"api:{uuid.uuid4()}",
                pipeline=pipeline,
                environment=asked.environment,
                trigger=Deploy.Trigger.API,
                kind=asked.kind,
                ref_kind=asked.ref_kind,
                ref=asked.ref,
                artefact=asked.artefact,
                host_ids=asked.host_ids,
                **wanted,
            ).pk

        return wished(request, *once(request, begin))


def wished(request: Request, pk: int, replayed: bool) -> Response:
    """Answer with a request for a deploy: 202, or 200 where it was there before."""
    row = DeployRequest.objects.select_related("deploy").get(pk=pk)
    told = RequestShape(row, context={"request": request}).data
    if replayed:
        return Response(told, headers={REPLAYED: "true"})
    return Response(told, status=202)


class Requested(_Begins):
    """What became of a request for a deploy."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(
        summary="What became of a request for a deploy",
        parameters=[WAIT],
        responses={200: RequestShape},
    )
    def get(self, request: Request, pk: int) -> Response:
        """Give it, once that is decided."""

        def look() -> tuple[DeployRequest, bool]:
            rows = DeployRequest.objects.visible_to(request.user).filter(pk=pk)
            found = rows.select_related("deploy").first()
            if found is None:
                raise Http404(_("There is no such request."))
            return found, not found.is_open

        wait = seconds(request.query_params.get("wait") or 0)
        row = patiently(look, lambda found: False, wait)
        return Response(RequestShape(row, context={"request": request}).data)

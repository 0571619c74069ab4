"""REST of deploys that go on: how they stand, what they print, stop, pause, go on."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.views import find
from delivery.engine import controlling
from delivery.models import Deploy
from delivery.resources import DEPLOYS
from delivery.rest import inputs
from delivery.rest.asked_shapes import KNOWN, LOG_QUERY, WAIT, ResumeAsk
from delivery.rest.deploying import OfDeploys
from delivery.rest.reading import piece_of
from delivery.rest.shapes import DeployDetail, LogPiece, mark_of
from tasks.run_api.inputs import reason as reason_of
from tasks.run_api.inputs import seconds, whole_number
from tasks.run_api.shapes import Reason
from tasks.run_api.waiting import patiently


class Status(OfDeploys):
    """How a deploy stands."""

    @extend_schema(
        summary="How a deploy stands: steps and hosts",
        parameters=[KNOWN, WAIT],
        responses={200: DeployDetail},
    )
    def get(self, request: Request, pk: int) -> Response:
        """Give it; wait for something new if asked."""
        known = request.query_params.get("known", "")

        def look() -> tuple[Deploy, bool]:
            row = find(DEPLOYS, request.user, pk)
            return row, mark_of(row) != known or not row.is_open

        row = patiently(
            look, lambda found: False, seconds(request.query_params.get("wait") or 0)
        )
        return Response(DeployDetail(row, context={"request": request}).data)


class Log(OfDeploys):
    """What a step printed."""

    @extend_schema(
        summary="Log of a step of a deploy, by offset",
        parameters=LOG_QUERY,
        responses={200: LogPiece},
    )
    def get(self, request: Request, pk: int) -> Response:
        """Give what is there from an offset on; wait for it if asked."""
        query, user = request.query_params, request.user
        step = whole_number("step", query.get("step") or 0)
        offset = whole_number("offset", query.get("offset") or 0)
        host = query.get("host", "").replace("\0", "")[: inputs.LONGEST_NAME]
        piece = patiently(
            lambda: piece_of(user, find(DEPLOYS, user, pk), step, host, offset),
            lambda told: False,
            seconds(query.get("wait") or 0),
        )
        return Response(piece)


class _Act(OfDeploys):
    http_method_names = ["post", "options"]

    def acted(self, request: Request, pk: int, action: str, service: Any) -> Response:
        """Do something with a deploy and say how it stands."""
        row = find(DEPLOYS, request.user, pk, action)
        service(actor=request.user, deploy=row, reason=reason_of(request.data))
        row = find(DEPLOYS, request.user, pk)
        return Response(DeployDetail(row, context={"request": request}).data)


class Cancel(_Act):
    """Stop a deploy."""

    permission = "delivery.cancel_deploy"
    needs = {"POST": "cancel"}

    @extend_schema(
        summary="Cancel a deploy",
        description="What runs is stopped, what was switched goes back.",
        request=Reason,
        responses={200: DeployDetail},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Stop it."""
        return self.acted(request, pk, "cancel", controlling.cancel_deploy)


class Pause(_Act):
    """Pause a deploy."""

    permission = "delivery.control_deploy"
    needs = {"POST": "control"}

    @extend_schema(
        summary="Pause a deploy", request=Reason, responses={200: DeployDetail}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Begin nothing further."""
        return self.acted(request, pk, "control", controlling.pause_deploy)


class Resume(_Act):
    """Let a deploy go on."""

    permission = "delivery.control_deploy"
    needs = {"POST": "control"}

    @extend_schema(
        summary="Let a paused deploy go on",
        description="Outside its change windows it wants `emergency_reason`, and the right to it (code `closed`). One whose release was marked bad meanwhile does not go on (code `bad`).",
        request=ResumeAsk,
        responses={200: DeployDetail},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Let it go on."""
        body = inputs.body_of(request.data or {}, inputs.RESUME)
        reason = inputs.text(body, "reason", inputs.LONGEST_REASON)
        why = inputs.text(body, "emergency_reason", inputs.LONGEST_REASON)
        row = find(DEPLOYS, request.user, pk, "control")
        controlling.resume_deploy(
            actor=request.user, deploy=row, reason=reason, emergency_reason=why
        )
        row = find(DEPLOYS, request.user, pk)
        return Response(DeployDetail(row, context={"request": request}).data)

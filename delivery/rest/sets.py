"""REST of sets of releases: start one, look how its release run stands, stop it, take it back after it ended."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.endpoint import ResourceEndpoint
from adminset.crud.views import find
from delivery.models import SetRun
from delivery.releasesets.finding import find_run
from delivery.releasesets.resources import RELEASE_SETS
from delivery.releasesets.starting import cancel_set, start_set
from delivery.releasesets.taking_back import take_back
from delivery.resources import DEPLOYS
from delivery.rest.set_shapes import SetRunShape
from tasks.run_api.inputs import reason as reason_of
from tasks.run_api.repeated import REPLAYED, once
from tasks.run_api.shapes import REPEAT_KEY, Reason


def _told(request: Request, run: SetRun) -> Any:
    return SetRunShape(run, context={"request": request}).data


class _OfRuns:
    """Stands for the resource that release runs would be."""

    @staticmethod
    def permission(action: str) -> str:
        """Name the permission to look."""
        return f"delivery.{action}_setrun"


class Start(ResourceEndpoint):
    """Start a set."""

    resource = DEPLOYS
    permission = "delivery.add_deploy"
    needs = {"POST": "add"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Start a set of releases",
        request=Reason,
        responses={200: SetRunShape, 201: SetRunShape},
        parameters=[REPEAT_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Start it; the reason is needed."""
        row = find(RELEASE_SETS, request.user, pk)
        reason = reason_of(request.data)

        def begin() -> int:
            return start_set(actor=request.user, release_set=row, reason=reason).pk

        number, replayed = once(request, begin)
        told = _told(request, SetRun.objects.get(pk=number))
        if replayed:
            return Response(told, headers={REPLAYED: "true"})
        return Response(told, status=201)


class Going(ResourceEndpoint):
    """A release run."""

    resource = _OfRuns
    permission = "delivery.view_setrun"
    http_method_names = ["get", "head", "options"]

    @extend_schema(summary="How a release run stands", responses={200: SetRunShape})
    def get(self, request: Request, pk: int) -> Response:
        """Give it with its parts."""
        return Response(_told(request, find_run(request.user, pk)))


class Cancel(ResourceEndpoint):
    """Stop a release run."""

    resource = DEPLOYS
    permission = "delivery.cancel_deploy"
    needs = {"POST": "cancel"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Stop a release run; what was delivered is taken back",
        request=Reason,
        responses={200: SetRunShape},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Stop it."""
        run = find_run(request.user, pk)
        cancel_set(actor=request.user, run=run, reason=reason_of(request.data))
        return Response(_told(request, find_run(request.user, pk)))


class TakeBack(ResourceEndpoint):
    """Take back a release run that has ended."""

    resource = DEPLOYS
    permission = "delivery.add_deploy"
    needs = {"POST": "add"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Take back what an ended release run delivered, the last part first",
        request=Reason,
        responses={200: SetRunShape},
        parameters=[REPEAT_KEY],
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take it back; the reason is needed."""
        run = find_run(request.user, pk)
        reason = reason_of(request.data)

        def begin() -> int:
            return take_back(actor=request.user, run=run, reason=reason).pk

        _number, replayed = once(request, begin)
        told = _told(request, find_run(request.user, pk))
        return Response(told, headers={REPLAYED: "true"} if replayed else None)

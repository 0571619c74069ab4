"""REST of sets of releases: let one go, look how it goes, stop it."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.endpoint import ResourceEndpoint
from adminset.crud.views import find
from delivery.models import SetRun
from delivery.releasesets.resources import RELEASE_SETS
from delivery.releasesets.starting import cancel_set, start_set
from delivery.resources import DEPLOYS
from delivery.rest.shapes import SetRunShape
from tasks.run_api.inputs import reason as reason_of
from tasks.run_api.repeated import REPLAYED, once
from tasks.run_api.shapes import REPEAT_KEY, Reason


def _run(user: Any, pk: int) -> SetRun:
    rows = SetRun.objects.visible_to(user).prefetch_related(
        "parts__request", "parts__back_request"
    )
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no such set that goes."))
    return found


class _OfRuns:
    """Stands for the resource that sets that go would be."""

    @staticmethod
    def permission(action: str) -> str:
        """Name the permission to look."""
        return f"delivery.{action}_setrun"


class Start(ResourceEndpoint):
    """Let a set go."""

    resource = DEPLOYS
    permission = "delivery.add_deploy"
    needs = {"POST": "add"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Let a set of releases go",
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
        told = SetRunShape(SetRun.objects.get(pk=number)).data
        if replayed:
            return Response(told, headers={REPLAYED: "true"})
        return Response(told, status=201)


class Going(ResourceEndpoint):
    """A set that goes."""

    resource = _OfRuns
    permission = "delivery.view_setrun"
    http_method_names = ["get", "head", "options"]

    @extend_schema(summary="How a set of releases goes", responses={200: SetRunShape})
    def get(self, request: Request, pk: int) -> Response:
        """Give it with its parts."""
        return Response(SetRunShape(_run(request.user, pk)).data)


class Cancel(ResourceEndpoint):
    """Stop a set."""

    resource = DEPLOYS
    permission = "delivery.cancel_deploy"
    needs = {"POST": "cancel"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Stop a set of releases; what went comes back",
        request=Reason,
        responses={200: SetRunShape},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Stop it."""
        cancel_set(
            actor=request.user,
            run=_run(request.user, pk),
            reason=reason_of(request.data),
        )
        return Response(SetRunShape(_run(request.user, pk)).data)

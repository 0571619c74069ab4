"""Recordings for programs: which there are, their events page by page, the .cast, the comparison with the trail."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from adminset.crud.rest import Pagination
from adminset.http import needs_proof, proof_error
from tasks.models import TerminalSession
from tasks.recording import exporting, verifying
from tasks.recording.finding import find_session, recorded
from tasks.recording_pages.views import cast_answer, page_of, told

AFTER = OpenApiParameter(
    "after", str, description="`after` of the page before; without it: the beginning."
)
EVENTS = OpenApiResponse(
    description="{events: [[milliseconds, kind, text]], after, at_end, grows, broken}"
)


class Holds(BasePermission):
    """Asks for the permission that the endpoint names."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Say whether the user holds it anywhere; which sessions it opens is `visible_to`'s to say."""
        user = request.user
        if not user.is_authenticated or not user.has_perm(view.permission):
            return False
        if needs_proof(request, view.permission):
            raise proof_error()
        return True


class RecordingShape(serializers.ModelSerializer):
    """A recording and the session of which it is."""

    class Meta:
        model = TerminalSession
        fields = [
            "id",
            "user",
            "username",
            "host",
            "host_name",
            "login",
            "state",
            "opened_at",
            "ended_at",
            "command_count",
            "recording",
            "recording_problem",
            "recording_sha256",
            "recording_bytes",
        ]
        ref_name = "TerminalRecording"


class _Endpoint(APIView):
    permission = "tasks.replay_terminalsession"
    permission_classes = [Holds]
    http_method_names = ["get", "head", "options"]


class Recordings(_Endpoint):
    """The recordings that one may replay."""

    pagination_class = Pagination

    @extend_schema(
        summary="Recordings of terminals", responses=RecordingShape(many=True)
    )
    def get(self, request: Request) -> Response:
        """Give a page of them, the newest first."""
        pages = Pagination()
        rows = recorded(request.user).order_by("-pk")
        page = pages.paginate_queryset(rows, request)
        return pages.get_paginated_response(RecordingShape(page, many=True).data)


class Events(_Endpoint):
    """The events of a recording."""

    @extend_schema(
        summary="Events of a recording, page by page",
        description="Go on with `after` until `at_end`; while `grows`, the same question brings later what is new. Kinds: `o` "
        "output, `r` resize (columns x rows), `m` a command.",
        parameters=[AFTER],
        responses={200: EVENTS},
    )
    def get(self, request: Request, pk: int) -> Response:
        """Give a page of them."""
        session = find_session(request.user, pk, "replay")
        page = page_of(session, request.query_params.get("after", ""))
        exporting.tell_of_replay(actor=request.user, session=session)
        return Response(told(session, page))


class Export(_Endpoint):
    """A recording as a file."""

    permission = "tasks.export_terminalsession"

    @extend_schema(
        summary="A recording as asciicast",
        description="The header X-Content-SHA256 has the hash of the file; of a sealed recording it is the one in the audit trail.",
        responses={(200, exporting.CONTENT_TYPE): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: int) -> Any:
        """Give it."""
        session = find_session(request.user, pk, "export")
        found = exporting.export(actor=request.user, session=session)
        return cast_answer(request._request, found)


class Verify(_Endpoint):
    """A recording against the audit trail; asked for by POST, as it leaves a line there."""

    permission = "tasks.view_terminalsession"
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Hold a recording against the audit trail",
        request=None,
        responses={200: OpenApiResponse(description="{verdict, words, sealed, found}")},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Say what came of it."""
        session = find_session(request.user, pk, "view")
        found = verifying.verify_now(actor=request.user, session=session)
        return Response(
            {
                "verdict": found.verdict,
                "words": found.words,
                "sealed": found.sealed,
                "found": found.found,
            }
        )

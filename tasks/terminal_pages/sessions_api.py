"""Terminal sessions for programs: end, lock, unlock; the list and one are the resource's own endpoints."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from adminset.crud.rest import ResourcePermission
from adminset.crud.views import find
from tasks.models import TerminalSession
from tasks.terminal import control
from tasks.terminal_pages.sessions_resources import TERMINAL_SESSIONS

ANSWER = {200: OpenApiResponse(description="{id, state, locked_by, end_reason}")}


class _Control(APIView):
    """What the endpoints share."""

    resource = TERMINAL_SESSIONS
    permission = "tasks.control_terminalsession"
    permission_classes = [ResourcePermission]
    needs = {"POST": "control"}
    http_method_names = ["post", "options"]

    @property
    def action(self) -> str:
        """Name what is done, for the permission."""
        return self.request.method or ""


def told(session: TerminalSession) -> dict[str, Any]:
    """Say how a session stands."""
    names = ("id", "state", "locked_by", "end_reason")
    return {name: getattr(session, name) for name in names}


class Kill(_Control):
    """End a session."""

    @extend_schema(
        summary="End a terminal session",
        description='Send {"reason": "text"}, which its user reads, or nothing. The shell is closed within seconds.',
        request=dict,
        responses=ANSWER,
    )
    def post(self, request: Request, pk: int) -> Response:
        """End it."""
        session = find(TERMINAL_SESSIONS, request.user, pk)
        given = request.data if isinstance(request.data, dict) else {}
        reason = " ".join(str(given.get("reason") or "").split())[:300]
        return Response(
            told(control.kill(actor=request.user, session=session, reason=reason))
        )


class Lock(_Control):
    """Let nobody type."""

    @extend_schema(summary="Lock a terminal session", request=None, responses=ANSWER)
    def post(self, request: Request, pk: int) -> Response:
        """Lock it."""
        session = find(TERMINAL_SESSIONS, request.user, pk)
        return Response(told(control.lock(actor=request.user, session=session)))


class Unlock(_Control):
    """Let people type again."""

    @extend_schema(summary="Unlock a terminal session", request=None, responses=ANSWER)
    def post(self, request: Request, pk: int) -> Response:
        """Unlock it."""
        session = find(TERMINAL_SESSIONS, request.user, pk)
        return Response(told(control.unlock(actor=request.user, session=session)))

"""The form of a task module for machines."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from adminset.crud.rest import ResourcePermission
from adminset.crud.views import find
from tasks.taskmodules.definitions import said
from tasks.taskmodules.forms import schema_of
from tasks.taskmodules.resolving import definition_of
from tasks.taskmodules.resources import TASK_MODULES


class ModuleForm(APIView):
    """The questions of a task module, with the choices that the caller may see."""

    resource = TASK_MODULES
    permission = TASK_MODULES.permission("view")
    permission_classes = [IsAuthenticated, ResourcePermission]
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        summary="The form of a task module",
        description="What `answers` and `secret_answers` of a run may hold: name, type, label, required, default, limits, "
        "choices, and under which other answers a field is asked.",
        responses={200: OpenApiResponse(description="{title, dangerous, fields}")},
    )
    def get(self, request: Request, pk: int) -> Response:
        """Describe the form."""
        definition = definition_of(find(TASK_MODULES, request.user, pk))
        told: dict[str, Any] = {
            "title": said(definition.title),
            "description": said(definition.description),
            "dangerous": definition.dangerous,
            "fields": schema_of(definition, request.user),
        }
        return Response(told)

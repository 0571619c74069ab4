"""Gives the command-line client of this portal's version, with its checksum."""

import functools
import hashlib
from pathlib import Path

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from adminset.http import SIGNED_IN

FILE = "deploy/adminset_cli.py"


@functools.cache
def content() -> tuple[bytes, str]:
    """Give the file and its SHA-256."""
    text = (Path(settings.BASE_DIR) / FILE).read_bytes()
    return text, hashlib.sha256(text).hexdigest()


class Client(APIView):
    """The client as a file."""

    permission = SIGNED_IN
    permission_classes = [IsAuthenticated]
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        summary="The command-line client, one file",
        description="`X-Checksum-Sha256` is its checksum. Python 3.8 and requests are all that it needs.",
        responses={
            (200, "text/x-python"): OpenApiResponse(OpenApiTypes.BINARY),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Give it."""
        text, checksum = content()
        answer = HttpResponse(text, content_type="text/x-python")
        answer["Content-Disposition"] = 'attachment; filename="adminset-cli"'
        answer["X-Checksum-Sha256"] = checksum
        answer["Cache-Control"] = "no-cache"
        return answer

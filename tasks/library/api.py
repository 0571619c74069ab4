"""The library for programs, besides what its resources give: read a repository anew, judge a version, take its content."""

from typing import Any, ClassVar

from django.http import FileResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.endpoint import ResourceEndpoint
from adminset.crud.resource import Resource
from adminset.crud.views import find
from tasks.library import judging
from tasks.library.resources import FILES, PLAYBOOKS, ROLES, SCRIPTS, SOURCES, VERSIONS
from tasks.library.views import download_of
from tasks.models import GitSource, Version
from tasks.run_api import inputs
from tasks.run_api.shapes import Reason
from tasks.tasks import enqueue_fetch


class SourceStands(serializers.ModelSerializer):
    """How the reading of a repository stands."""

    state = serializers.CharField(read_only=True)
    ended = serializers.SerializerMethodField()

    class Meta:
        model = GitSource
        fields = ("id", "name", "state", "ended", "message", "commit", "fetched_at")
        ref_name = "GitSourceStands"

    def get_ended(self, source: GitSource) -> bool:
        """Whether nothing more comes."""
        return not source.is_open


class VersionStands(serializers.ModelSerializer):
    """What was decided about a version."""

    state = serializers.CharField(read_only=True)

    class Meta:
        model = Version
        fields = ("id", "number", "state", "judged_by_name")
        ref_name = "VersionStands"


class Fetch(ResourceEndpoint):
    """Read a repository anew."""

    resource = SOURCES
    permission = "tasks.fetch_gitsource"
    needs = {"POST": "fetch"}
    http_method_names = ["post", "options"]

    @extend_schema(
        summary="Fetch a git repository",
        description="A worker reads it; ask for the repository until its `state` is ok or failed. New contents are versions of "
        "the one who asks.",
        request=None,
        responses={200: SourceStands},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Call a worker for it."""
        source = find(SOURCES, request.user, pk)
        asked = enqueue_fetch(actor=request.user, source=source)
        return Response(SourceStands(asked).data)


class _Judge(ResourceEndpoint):
    """Say something about a version."""

    permission = "tasks.approve_script"
    needs = {"POST": "approve"}
    http_method_names = ["post", "options"]
    service: ClassVar[Any]

    @property
    def resource(self) -> Resource:
        """Give the kind of item that the version is of: who may approve that is let in."""
        rows = VERSIONS.rows(self.request.user).filter(pk=self.kwargs["pk"])
        version = rows.select_related(*Version.ITEMS).first()
        item = version.item if version else None
        kinds = (SCRIPTS, PLAYBOOKS, ROLES, FILES)
        return next((kind for kind in kinds if isinstance(item, kind.model)), SCRIPTS)

    def _judged(self, request: Request, pk: int) -> Response:
        version = find(VERSIONS, request.user, pk)
        reason = inputs.reason(request.data)
        done = type(self).service(actor=request.user, version=version, reason=reason)
        return Response(VersionStands(done).data)


class Approve(_Judge):
    """Let a version run."""

    service = staticmethod(judging.approve_version)

    @extend_schema(
        summary="Approve a version",
        description="A person's word: a token gives none.",
        request=Reason,
        responses={200: VersionStands},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Approve it."""
        return self._judged(request, pk)


class Retire(_Judge):
    """Let a version run nowhere."""

    service = staticmethod(judging.retire_version)

    @extend_schema(
        summary="Retire a version",
        description="It runs nowhere from now on; one that waits is thereby refused.",
        request=Reason,
        responses={200: VersionStands},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Retire it."""
        return self._judged(request, pk)


class Reinstate(_Judge):
    """Let a retired version run again."""

    service = staticmethod(judging.reinstate_version)

    @extend_schema(
        summary="Reinstate a retired version",
        description="Where versions need approval that is one: a token gives none.",
        request=Reason,
        responses={200: VersionStands},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Let it run again."""
        return self._judged(request, pk)


class Download(ResourceEndpoint):
    """The content of a version as a file."""

    resource = VERSIONS
    permission = "tasks.view_version"
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        summary="The content of a version: a text, a role as zip, the bytes of a file",
        responses={
            (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY)
        },
    )
    def get(self, request: Request, pk: int) -> FileResponse:
        """Give it."""
        return download_of(find(VERSIONS, request.user, pk))

"""REST of uploads: archives that a project is delivered from come in pieces, so that a line that breaks costs one piece."""

from dataclasses import asdict
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.endpoint import ResourceEndpoint
from adminset.crud.pieces import OFFSET, RawParser, piece_bytes, piece_of
from adminset.crud.views import find
from adminset.errors import Forbidden
from appconf.models import Environment, Project
from appconf.resources import PROJECT
from delivery.resources import DEPLOYS
from delivery.rest import inputs
from delivery.rest.asked_shapes import UploadEnd
from delivery.rest.shapes import Ticket, UploadShape
from delivery.sources import uploads

LONGEST_NAME = 200


class _OfProject(ResourceEndpoint):
    resource = DEPLOYS
    permission = "delivery.add_deploy"
    needs = {"POST": "add", "PUT": "add", "GET": "add", "HEAD": "add"}
    http_method_names = ["post", "options"]

    def project(self, request: Request, pk: int) -> Project:
        """Find a project to one of whose environments the user may deploy.

        Raises:
            Forbidden: there is none.
        """
        project: Project = find(PROJECT, request.user, pk)
        mine = Environment.objects.visible_to(request.user, "deploy")
        if not mine.filter(project=project).exists():
            raise Forbidden(_("You may not deploy to any environment of this project."))
        return project


class Uploads(_OfProject):
    """The archives of a project."""

    http_method_names = ["get", "post", "head", "options"]

    @extend_schema(
        summary="Archives that a project can be delivered from",
        responses={200: UploadShape(many=True)},
    )
    def get(self, request: Request, pk: int) -> Response:
        """List them, newest first."""
        return Response(
            [asdict(one) for one in uploads.uploads_of(self.project(request, pk))]
        )

    @extend_schema(
        summary="Begin to send an archive", request=None, responses={201: Ticket}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Give the ticket that its pieces name."""
        ticket = uploads.begin(project=self.project(request, pk))
        told = {"ticket": ticket, "offset": 0, "piece_bytes": piece_bytes()}
        return Response(told, status=201)


class Piece(_OfProject):
    """A piece of an archive."""

    parser_classes = [RawParser]
    http_method_names = ["put", "options"]

    @extend_schema(
        summary="Send a piece of an archive",
        description="Its bytes as they are, from `offset` on; a piece that does not begin where the upload ends is refused "
        "(code `wrong_offset`) and says where.",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[OFFSET],
        responses={200: Ticket},
    )
    def put(self, request: Request, pk: int, ticket: str) -> Response:
        """Append it."""
        project = self.project(request, pk)
        offset, data = piece_of(request)
        there = uploads.add_piece(
            project=project, ticket=ticket, offset=offset, data=data
        )
        return Response(
            {"ticket": ticket, "offset": there, "piece_bytes": piece_bytes()}
        )


class Finish(_OfProject):
    """The end of an archive."""

    @extend_schema(
        summary="End the sending of an archive",
        description="With `sha256` the portal compares what came. It is delivered by `ref_kind` upload, `ref` its SHA-256; "
        "the artefact is made by the first deploy of it.",
        request=UploadEnd,
        responses={201: UploadShape},
    )
    def post(self, request: Request, pk: int, ticket: str) -> Response:
        """Keep it."""
        project = self.project(request, pk)
        body = inputs.body_of(request.data, {"name", "sha256"})
        name = inputs.text(body, "name", LONGEST_NAME, needed=True)
        sha256 = inputs.text(body, "sha256", 64)
        user: Any = request.user
        kept = uploads.finish(
            actor=user, project=project, ticket=ticket, name=name, sha256=sha256
        )
        return Response(asdict(kept), status=201)

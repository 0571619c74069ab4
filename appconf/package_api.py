"""REST of the file of a package: it comes in pieces, so that a line that breaks costs one piece."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.crud.endpoint import ResourceEndpoint
from adminset.crud.pieces import OFFSET, RawParser, piece_of
from adminset.crud.views import find
from adminset.errors import DomainError
from appconf import package_pieces, services
from appconf.models import Package
from appconf.resources import PACKAGE

LONGEST_NAME, LONGEST_HASH = 200, 64


class PackageTicket(serializers.Serializer):
    """A file that is being sent. `offset`: the bytes that are there; `piece_bytes`: how large a piece may be."""

    ticket = serializers.CharField()
    offset = serializers.IntegerField()
    piece_bytes = serializers.IntegerField()


class PackageFileEnd(serializers.Serializer):
    """What the file is called, and the SHA-256 that its sender knows."""

    name = serializers.CharField(max_length=LONGEST_NAME)
    sha256 = serializers.CharField(required=False, max_length=LONGEST_HASH)


class PackageFile(serializers.Serializer):
    """The file of a package."""

    package = serializers.IntegerField()
    file_name = serializers.CharField()
    sha256 = serializers.CharField()
    size = serializers.IntegerField()


class PieceParser(RawParser):
    """Takes a piece as large as its sender was told."""

    def most(self) -> int:
        """Say how large a piece may be."""
        return package_pieces.piece_bytes()


class _OfPackage(ResourceEndpoint):
    resource = PACKAGE
    permission = "appconf.change_package"
    needs = {"POST": "change", "PUT": "change"}
    http_method_names = ["post", "options"]

    def package(self, request: Request, pk: int) -> Package:
        """Find a package that the caller may change."""
        package: Package = find(PACKAGE, request.user, pk, "change")
        return package


def _told(ticket: str, offset: int) -> dict[str, Any]:
    most = package_pieces.piece_bytes()
    return {"ticket": ticket, "offset": offset, "piece_bytes": most}


class Begin(_OfPackage):
    """A file that is to come."""

    @extend_schema(
        summary="Begin to send the file of a package",
        request=None,
        responses={201: PackageTicket},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Give the ticket that its pieces name."""
        ticket = package_pieces.begin(self.package(request, pk))
        return Response(_told(ticket, 0), status=201)


class Piece(_OfPackage):
    """A piece of the file of a package."""

    parser_classes = [PieceParser]
    http_method_names = ["put", "options"]

    @extend_schema(
        summary="Send a piece of the file of a package",
        description="Its bytes as they are, from `offset` on; a piece that does not begin where the file ends is refused "
        "(code `wrong_offset`) and says where.",
        request={"application/octet-stream": OpenApiTypes.BINARY},
        parameters=[OFFSET],
        responses={200: PackageTicket},
    )
    def put(self, request: Request, pk: int, ticket: str) -> Response:
        """Append it."""
        package = self.package(request, pk)
        there = package_pieces.add(package, ticket, *piece_of(request))
        return Response(_told(ticket, there))


class Finish(_OfPackage):
    """The end of the file of a package."""

    @extend_schema(
        summary="Keep the file of a package",
        description="Where the package or the sender names a SHA-256, another file is refused (code `wrong_sha256`).",
        request=PackageFileEnd,
        responses={201: PackageFile},
    )
    def post(self, request: Request, pk: int, ticket: str) -> Response:
        """Keep it."""
        package = self.package(request, pk)
        sent = PackageFileEnd(data=request.data)
        if not sent.is_valid():
            fields = {name: str(words[0]) for name, words in sent.errors.items()}
            raise DomainError(_("Some fields are not right."), fields=fields)
        told = sent.validated_data
        saved = services.store_package_pieces(
            actor=request.user,
            package=package,
            name=told["name"],
            ticket=ticket,
            sha256=told.get("sha256", "").lower(),
        )
        names = ("file_name", "sha256", "size")
        kept = {name: getattr(saved, name) for name in names}
        return Response(kept | {"package": saved.pk}, status=201)

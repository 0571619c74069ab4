"""What REST endpoints share that take a file in pieces: its bytes as they are, from an offset on."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from adminset.errors import DomainError
from adminset.texts import number_of

OFFSET = OpenApiParameter(
    "offset",
    {"type": "integer", "minimum": 0},
    OpenApiParameter.QUERY,
    description="Where the piece begins.",
)


def piece_bytes(wanted: int | None = None) -> int:
    """Say how large a piece may be: a request holds no more than ADMINSET_UPLOAD_BYTES.

    Args:
        wanted: what its own setting says, where it has one.
    """
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return most if wanted is None else min(wanted, most)


class RawParser(BaseParser):
    """Takes the bytes of a piece as they are."""

    media_type = "application/octet-stream"

    def most(self) -> int:
        """Say how large a piece may be: the number that the sender was told."""
        return piece_bytes()

    def parse(
        self, stream: Any, media_type: Any = None, parser_context: Any = None
    ) -> Any:
        """Read a piece.

        Raises:
            DomainError: 413, it is larger than a piece may be.
        """
        most = self.most()
        data: bytes = stream.read(most + 1)
        if len(data) > most:
            words = _("A piece has at most %(most)s bytes.") % {"most": most}
            raise DomainError(words, code="too_large", status=413)
        return data


def piece_of(request: Request) -> tuple[int, bytes]:
    """Give where a piece begins (`?offset=`, 0 where it is not said), and its bytes.

    Raises:
        DomainError: the offset is no number.
    """
    given = request.query_params.get("offset") or "0"
    offset = number_of(given)
    if offset is None:
        words = _("Give a whole number from 0 on.")
        raise DomainError(_("Some fields are not right."), fields={"offset": words})
    return offset, request.data if isinstance(request.data, bytes) else b""

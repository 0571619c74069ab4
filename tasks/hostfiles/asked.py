"""Reads what the page of a host's files sends: JSON with percent-encoded paths, and answers in JSON."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from adminset.texts import is_whole, not_whole
from tasks.hostfiles import paths

LONGEST_BODY = 2 * 2**20


def body_of(request: HttpRequest) -> dict[str, Any]:
    """Read the body as one JSON object.

    Raises:
        DomainError: it is none.
    """
    try:
        sent = json.loads(request.read(LONGEST_BODY) or b"null")
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise DomainError(_("Send one JSON object."), code="bad_request", status=400)
    if not is_whole(sent):
        raise not_whole(sent)
    return sent


def path_in(body: dict[str, Any], name: str = "path") -> bytes:
    """Read one path of a body.

    Raises:
        DomainError: there is none.
    """
    return paths.read(body.get(name))


def number_in(body: dict[str, Any], name: str) -> int:
    """Read a whole number of a body.

    Raises:
        DomainError: it is none.
    """
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise DomainError(
            _("%(name)s is a whole number.") % {"name": name},
            code="bad_request",
            status=400,
        )
    return value


def text_in(body: dict[str, Any], name: str) -> str:
    """Read a text of a body; "" where there is none."""
    value = body.get(name)
    return value if isinstance(value, str) else ""

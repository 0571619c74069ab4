"""Reads the JSON that the REST endpoints are sent, no deeper than ADMINSET_JSON_MAX_DEPTH."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from adminset.texts import is_whole, not_whole


class BoundedJSONParser(JSONParser):
    """JSON; what is nested too deep, or holds half characters, is refused."""

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Read a body.

        Raises:
            ParseError: no JSON, or too deep.
            DomainError: a text that is not valid Unicode.
        """
        try:
            sent = super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise _too_deep() from None
        if depth_of(sent, settings.JSON_MAX_DEPTH) > settings.JSON_MAX_DEPTH:
            raise _too_deep()
        if not is_whole(sent):
            raise not_whole(sent)
        return sent


def depth_of(value: Any, most: int) -> int:
    """Count the levels of nesting, at most one more than `most`; a plain value has none."""
    level, depth = [value], 0
    while depth <= most:
        below: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                below += each.values()
            elif isinstance(each, list):
                below += each
        containers = any(isinstance(each, dict | list) for each in level)
        if not containers:
            return depth
        level, depth = below, depth + 1
    return depth


def _too_deep() -> ParseError:
    return ParseError(
        _("This JSON is nested deeper than %(most)s levels.")
        % {"most": settings.JSON_MAX_DEPTH}
    )

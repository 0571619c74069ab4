"""What a program has already is not sent again (ETag, 304), and what somebody else changed meanwhile is not overwritten (If-Match, 412)."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from adminset.errors import DomainError


def tag_of(data: Any) -> str:
    """Give the ETag of what an endpoint tells of an object, or of a page of them.

    Made from all that is told and not from a time of change: names and numbers of related objects are in it too.
    """
    return f'"{hashlib.sha256(JSONRenderer().render(data)).hexdigest()[:32]}"'


class ConditionalAnswers:
    """Part of a viewset: answers to GET bear an ETag, and are 304 to whoever has it; writes obey If-Match."""

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Have the tag put on once the answer is written."""
        answer: Response = super().finalize_response(  # type: ignore[misc]
            request, response, *args, **kwargs
        )
        if request.method in {"GET", "HEAD"} and answer.status_code == 200:
            answer.add_post_render_callback(partial(_conditional, request))
        return answer

    @contextmanager
    def held_fresh(self, request: Request, pk: str) -> Iterator[None]:
        """Let a write pass whose If-Match names what the asker would read now; hold the row until it is done.

        Raises:
            DomainError: 412, somebody else was quicker.
        """
        asked = request.headers.get("If-Match", "")
        if not asked:
            yield
            return
        view: Any = self
        with transaction.atomic():
            held = view.resource.model._base_manager.select_for_update().order_by()
            held.filter(pk=pk).first()
            ensure_fresh(request, view.get_serializer(view.get_object()).data)
            yield


def ensure_fresh(request: Request, told: Any) -> None:
    """Let a write pass whose If-Match, if it has one, names what an endpoint tells now.

    Raises:
        DomainError: 412, somebody else was quicker.
    """
    asked = request.headers.get("If-Match", "").strip()
    if asked not in {"", "*"} and tag_of(told) not in parse_etags(asked):
        raise DomainError(
            _("Somebody else changed this object meanwhile."),
            _("Read it again, and change what it is now."),
            code="stale",
            status=412,
        )


def _conditional(request: Request, answer: Response) -> HttpResponse | None:
    etag = tag_of(answer.data)
    answer["ETag"] = etag
    answer["Cache-Control"] = "private, no-cache"
    patch_vary_headers(answer, ("Authorization", "Cookie"))
    return get_conditional_response(request._request, etag=etag, response=answer)

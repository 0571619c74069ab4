"""The door for agents and scripts of AdminSet: closed unless switched on; one token that all share; AdminSet's own answers."""

import functools
import hmac
import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from accounts import throttle
from adminset.errors import DomainError
from adminset.middleware import client_address

WRONG_TOKEN = "Post forbidden, your token error!!"  # noqa: S105 - AdminSet's words
BAD_JSON = "Invalid JSON data or missing token"
View = Callable[[HttpRequest, dict[str, Any]], HttpResponse]


def legacy(method: str) -> Callable[[View], Callable[[HttpRequest], HttpResponse]]:
    """Open a view to old agents: it gets the report (of a GET: the query) after the token was right.

    Answers 404 while the switch is off, 403 to a wrong token, 400 to what cannot be read, 413 to what is too large.
    """

    def decorate(view: View) -> Callable[[HttpRequest], HttpResponse]:
        @csrf_exempt
        @functools.wraps(view)
        def opened(request: HttpRequest) -> HttpResponse:
            if not settings.LEGACY_AGENTS:
                raise Http404
            if request.method not in {method, "HEAD" if method == "GET" else method}:
                return _text("", 405)
            try:
                return _opened(request, view)
            except (KeyError, ValueError, TypeError, RecursionError):
                return _text(BAD_JSON, 400)
            except DomainError as error:
                return _refusal(error)

        return opened

    return decorate


def _opened(request: HttpRequest, view: View) -> HttpResponse:
    if request.method != "POST":
        payload: dict[str, Any] = request.GET.dict()
        token: Any = payload.get("token", "")
    else:
        body = request.read(settings.AGENT_MAX_BODY_BYTES + 1)
        if len(body) > settings.AGENT_MAX_BODY_BYTES:
            return _text("", 413)
        payload = json.loads(body)
        token = payload["token"]
    if not _is_right(token):
        throttle.count_address(
            client_address(request), kind="legacy", limit=settings.TOKEN_FAILURES
        )
        return _text(WRONG_TOKEN, 403)
    return view(request, payload)


def _is_right(token: Any) -> bool:
    given = token if isinstance(token, str) else ""
    known = settings.LEGACY_TOKEN
    same = hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())
    return bool(known) and same


def _refusal(error: DomainError) -> HttpResponse:
    """Answer plainly: old agents read no envelope. Who is not let in hears what a wrong token hears."""
    answer = _text(WRONG_TOKEN if error.status == 403 else str(error), error.status)
    if error.retry_after:
        answer["Retry-After"] = str(error.retry_after)
    # An answer, and no fault of ours: Django shall not log it as one.
    answer._has_been_logged = True  # type: ignore[attr-defined]
    return answer


def _text(words: str, status: int) -> HttpResponse:
    return HttpResponse(words, status=status, content_type="text/html; charset=utf-8")

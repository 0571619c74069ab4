"""What happens around every request: an id, the true address, the user's language and zone, errors in words."""

import functools
import ipaddress
import logging
import uuid
import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _

from adminset import audit, context, networks
from adminset.errors import DomainError
from adminset.http import error_response, wants_json

logger = logging.getLogger(__name__)
Answer = Callable[[HttpRequest], HttpResponse]


def request_context(get_response: Answer) -> Answer:
    """Give the request an id and find out where it comes from, for audit and log lines."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        if not is_trusted_proxy(request.META.get("REMOTE_ADDR", "")):
            # Whether TLS was spoken is believed of a trusted proxy only: SECURE_PROXY_SSL_HEADER would take it from anybody.
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        token = context.current.set(
            context.RequestContext(
                request_id,
                client_address(request),
                request.headers.get("User-Agent", "")[:300],
            )
        )
        try:
            answer = get_response(request)
        finally:
            context.current.reset(token)
        answer["X-Request-ID"] = request_id
        return answer

    return middleware


def client_address(request: HttpRequest) -> str:
    """Give the client's address; X-Forwarded-For counts only when a proxy that we trust sent it."""
    return address_of(
        request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", "")
    )


def address_of(peer: str, forwarded_for: str) -> str:
    """Give the client's address from the peer's and what the peer says in X-Forwarded-For."""
    if not is_trusted_proxy(peer):
        return peer
    forwarded = [part.strip() for part in forwarded_for.split(",")]
    untrusted = [part for part in forwarded if part and not is_trusted_proxy(part)]
    return _plain_address(untrusted[-1]) if untrusted else peer


def is_trusted_proxy(address: str) -> bool:
    """Say whether what a peer forwards may be believed."""
    return networks.holds(settings.TRUSTED_PROXIES, address)


def _plain_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


def user_preferences(get_response: Answer) -> Answer:
    """Speak the signed-in user's language and show times in the user's zone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        user = request.user
        language = getattr(user, "language", "")
        if language and language in dict(settings.LANGUAGES):
            translation.activate(language)
            request.LANGUAGE_CODE = language
        with timezone.override(_zone(getattr(user, "time_zone", ""))):
            return get_response(request)

    return middleware


@functools.lru_cache(maxsize=1000)
def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    """Give a time zone by its name; None for one that this machine does not know."""
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return None


def parts_apart(get_response: Answer) -> Answer:
    """Keep a page and the part that htmx got of it apart in every cache: Back would show the part alone."""

    def middleware(request: HttpRequest) -> HttpResponse:
        answer = get_response(request)
        patch_vary_headers(answer, ["HX-Request"])
        return answer

    return middleware


def domain_errors(get_response: Answer) -> Answer:
    """Turn a DomainError that no view caught into the same words on a page or in JSON."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(
        request: HttpRequest, error: Exception
    ) -> HttpResponse | None:
        if isinstance(error, OverflowError | DataError):
            error = _out_of_range(error)
        if not isinstance(error, DomainError):
            return None
        if error.status == 403 and error.code != "proof_needed":
            audit.note_refusal(getattr(request, "user", None), error.code)
        if wants_json(request):
            return error_response(error)
        return error_page(request, error)

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def _out_of_range(error: Exception) -> DomainError:
    """Say that no row has such a key: drivers refuse numbers beyond a column's range, and Django's `in` lets them through."""
    logger.warning("a value is beyond what a column takes", exc_info=error)
    return DomainError(
        _("This request cannot be understood."), code="bad_request", status=400
    )


def error_page(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Say what is wrong: back on the page that a form was sent from, else on a page of its own."""
    referrer = request.headers.get("Referer", "")
    origin = f"{request.scheme}://{request.get_host()}/"
    if (
        request.method == "POST"
        and referrer.startswith(origin)
        and not request.headers.get("HX-Request")
    ):
        messages.error(
            request, " ".join(part for part in (error.message, error.hint) if part)
        )
        return redirect(referrer)
    name = "errors/503.html" if error.status == 503 else "errors/400.html"
    answer = render(request, name, {"error": error}, status=error.status)
    if error.retry_after:
        answer["Retry-After"] = str(error.retry_after)
    return answer

"""Who may come in at all: allowed networks, and maintenance; before any page, endpoint or web socket is asked."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from adminset import maintenance, networks
from adminset.errors import DomainError, Forbidden, Unavailable
from adminset.http import error_response, wants_json
from adminset.middleware import address_of, client_address
from adminset.querysets import everywhere

Answer = Callable[[HttpRequest], HttpResponse]
Application = Callable[..., Awaitable[None]]
# The process manager, load balancers and browsers come here by themselves; they learn nothing.
PROBES = ("/healthz", "/readyz", "/csp-report/")
# Agents, and what installs them; there is nothing secret in the latter.
AGENTS = ("/api/agent/", "/agent/")
# What somebody who may end the maintenance needs to come in; and what pages are drawn with.
DOORS = ("/accounts/sign-in/", "/accounts/sign-out/", "/i18n/", "/static/")


def allowed_networks(get_response: Answer) -> Answer:
    """Turn away who does not come from ADMINSET_ALLOWED_NETWORKS; agents come from anywhere: they prove themselves by their own token."""

    def middleware(request: HttpRequest) -> HttpResponse:
        path = request.path
        if path in PROBES or path.startswith(AGENTS):
            return get_response(request)
        if networks.admits(settings.ALLOWED_NETWORKS, client_address(request)):
            return get_response(request)
        error = Forbidden(
            _("This portal is not open to your network."),
            _("Come from an allowed network, or ask an administrator to add yours."),
            code="network_refused",
        )
        return _refuse(request, error)

    return middleware


def maintenance_mode(get_response: Answer) -> Answer:
    """While maintenance is on, answer 503 to all but those who may turn it off."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path in PROBES or request.path.startswith(DOORS):
            return get_response(request)
        state = maintenance.state()
        if not state or everywhere(request.user, maintenance.PERMISSION):
            return get_response(request)
        return _refuse(request, _in_maintenance(state))

    return middleware


def maintenance_for_all(get_response: Answer) -> Answer:
    """While maintenance is on, answer 503 to everybody: for a process that nobody signs in at."""

    def middleware(request: HttpRequest) -> HttpResponse:
        state = maintenance.state()
        if not state or request.path in PROBES:
            return get_response(request)
        return _refuse(request, _in_maintenance(state))

    return middleware


def _in_maintenance(state: dict[str, Any]) -> Unavailable:
    return Unavailable(
        _("The portal is in maintenance."),
        state.get("message") or _("Come back in a while."),
        code="maintenance",
        retry_after=maintenance.RETRY_SECONDS,
    )


def _refuse(request: HttpRequest, error: DomainError) -> HttpResponse:
    if wants_json(request):
        return error_response(error)
    template = "errors/503.html" if error.status == 503 else "errors/refused.html"
    answer = render(None, template, {"error": error}, status=error.status)
    if error.retry_after:
        answer["Retry-After"] = str(error.retry_after)
    return answer


def admitted(application: Application) -> Application:
    """Wrap the web sockets: the same networks as the pages, and none while maintenance is on."""

    async def wrapped(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if networks.admits(settings.ALLOWED_NETWORKS, _address(scope)) and (
            not await database_sync_to_async(maintenance.is_on)()
        ):
            await application(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": 4403})

    return wrapped


def _address(scope: MutableMapping[str, Any]) -> str:
    forwarded = dict(scope["headers"]).get(b"x-forwarded-for", b"")
    client = scope.get("client") or ("",)
    return address_of(str(client[0]), forwarded.decode("latin-1"))

"""The web sockets of all rooms: each room's sockets.py lists its own."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port, validate_host
from django.urls import URLPattern
from django.utils import translation
from django.utils.module_loading import module_has_submodule


def routes() -> list[URLPattern]:
    """Collect `socket_patterns` of every room that has a sockets.py."""
    found: list[URLPattern] = []
    for config in apps.get_app_configs():
        if config.module and module_has_submodule(config.module, "sockets"):
            found += getattr(
                import_module(f"{config.name}.sockets"), "socket_patterns", []
            )
    return found


def ends() -> list[Callable[[], None]]:
    """Collect `at_end` of every room whose sockets.py has one: what it does before the process ends; it may wait some seconds."""
    found: list[Callable[[], None]] = []
    for config in apps.get_app_configs():
        if config.module and module_has_submodule(config.module, "sockets"):
            end = getattr(import_module(f"{config.name}.sockets"), "at_end", None)
            found += [end] if end is not None else []
    return found


async def lifespan(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
    """Answer the server when it starts and when it stops: then the rooms end what they hold, once no socket is open any more."""
    while True:
        event = (await receive())["type"]
        if event == "lifespan.shutdown":
            for end in ends():
                await asyncio.to_thread(end)
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "lifespan.startup.complete"})


def own_origin(application: Callable[..., Awaitable[None]]) -> Any:
    """Let in web sockets that a page of ours opened: same host and port, or an origin of CSRF_TRUSTED_ORIGINS."""

    async def wrapped(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"").decode("latin-1")
        host = headers.get(b"host", b"").decode("latin-1")
        if is_own_origin(origin, host):
            await application(scope, receive, send)
            return
        await receive()
        await send({"type": "websocket.close", "code": 4403})

    return wrapped


def language_of(scope: MutableMapping[str, Any]) -> str:
    """Give the language that a page of the same visitor has: the user's, the cookie's, the browser's."""
    own = getattr(scope.get("user"), "language", "")
    if own in dict(settings.LANGUAGES):
        return str(own)
    request = HttpRequest()
    request.COOKIES = scope.get("cookies", {})
    accepted = dict(scope["headers"]).get(b"accept-language", b"")
    request.META["HTTP_ACCEPT_LANGUAGE"] = accepted.decode("latin-1")
    return translation.get_language_from_request(request)


def is_own_origin(origin: str, host: str) -> bool:
    """Say whether an Origin header names the host that was asked; a request without one is no page's."""
    if origin and origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        asked = urlsplit(origin)
        port = asked.port
    except ValueError:
        return False
    usual = {"http": 80, "https": 443}.get(asked.scheme)
    domain, host_port = split_domain_port(host)
    if usual is None or not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return False
    # A proxy may leave out the port; then the usual one was meant.
    same_port = (port or usual) == (int(host_port) if host_port.isdigit() else usual)
    return split_domain_port(asked.netloc)[0] == domain and same_port

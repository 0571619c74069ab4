"""The addresses that jobs call, and the acts on heartbeats."""

from typing import cast

import redis
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from accounts.throttle import count_address
from adminset.audit import Actor
from adminset.http import requires
from adminset.middleware import client_address
from monitor.checks.views import own, switch
from monitor.heartbeat_models import digest_of
from monitor.heartbeats import services
from monitor.heartbeats.services import Sign
from monitor.models import Heartbeat

CHANGE = "monitor.change_heartbeat"
MINUTE = 60
MOST_EXIT_CODE = 255
# Wrong keys of one address, in the window of the throttle.
MOST_MISSES = 300


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def beat(request: HttpRequest, key: str, word: str = "") -> HttpResponse:
    """Take a sign: the key in the address is all the proof that there is; the answer tells nothing."""
    if word.isdigit() and int(word) > MOST_EXIT_CODE:
        raise Http404
    if _too_often(key):
        answer = HttpResponse("slow down\n", content_type="text/plain", status=429)
        answer["Retry-After"] = str(MINUTE)
        return answer
    exit_code = int(word) if word.isdigit() else None
    kind = word if word in {"start", "fail"} else "done"
    body = request.read(settings.HEARTBEAT_BODY_BYTES)
    if not services.take(key, Sign(kind, exit_code, body)):
        count_address(client_address(request), kind="heartbeat", limit=MOST_MISSES)
        return HttpResponse("not found\n", content_type="text/plain", status=404)
    return HttpResponse("OK\n", content_type="text/plain")


def _too_often(key: str) -> bool:
    name = f"heartbeat:{digest_of(key)[:32]}"
    try:
        cache.add(name, 0, MINUTE)
        return bool(cache.incr(name) > settings.HEARTBEAT_PER_MINUTE)
    except (redis.RedisError, OSError, ValueError):
        # Away, or the minute just ended: a sign of life matters more than the count.
        return False


@requires(CHANGE)
@require_POST
def heartbeat_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it a new key."""
    heartbeat: Heartbeat = own(request, Heartbeat, pk)
    actor = cast("Actor", request.user)
    services.rotate_key(actor=actor, heartbeat=heartbeat)
    messages.success(
        request,
        _("%(name)s has a new address: the old one is dead.") % {"name": heartbeat},
    )
    return redirect(f"{heartbeat.get_absolute_url()}?tab=address")


@requires(CHANGE)
@require_POST
def heartbeat_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause a heartbeat."""
    return switch(request, own(request, Heartbeat, pk), enabled=False)


@requires(CHANGE)
@require_POST
def heartbeat_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with a heartbeat."""
    return switch(request, own(request, Heartbeat, pk), enabled=True)

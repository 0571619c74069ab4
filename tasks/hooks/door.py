"""Where messages come in: size, signature, then everything else; who has no right signature learns nothing."""

from typing import Any

import redis
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.throttle import count_address
from adminset.errors import DomainError, NotFound
from adminset.http import error_response
from adminset.middleware import client_address
from tasks.hooks import receiving, signing
from tasks.hooks.once import Came
from tasks.models import InHook, InHookDelivery

MINUTE = 60
# Messages without a right signature of one address, in the window of the throttle.
MOST_MISSES = 100
Verdict = InHookDelivery.Verdict
STATUS = {Verdict.STARTED: 202, Verdict.REFUSED: 422}


@csrf_exempt
@never_cache
@require_POST
def hook_in(request: HttpRequest, key: str) -> JsonResponse:
    """Take a message; the same 404 for an address that there is not and for a wrong signature."""
    try:
        return _treated(request, key)
    except DomainError as error:
        return error_response(error)


def _treated(request: HttpRequest, key: str) -> JsonResponse:
    body = read_body(request)
    address = client_address(request)
    found = InHook.objects.filter(key=key, active=True)
    related = ("template", "task_module", "workflow", "run_as")
    hook = found.select_related(*related).first()
    signed = signing.check(hook, request.headers, body)
    if hook is None or signed is None:
        count_address(address, kind="in-hook", limit=MOST_MISSES)
        raise NotFound(
            _("There is no such web-hook, or the signature is wrong."), code="not_found"
        )
    slow_down(f"in-hook:{hook.pk}")
    delivery = receiving.receive(hook, Came(body, signed, address))
    return _answer(request, delivery)


def read_body(request: HttpRequest) -> bytes:
    """Read a body.

    Raises:
        DomainError: 413, it is larger than a message may be.
    """
    most = settings.HOOK_BODY_BYTES
    body: bytes = request.read(most + 1)
    if len(body) > most:
        raise DomainError(
            _("The body is too large."),
            _("Raise ADMINSET_HOOK_BODY_BYTES, or let the sender send less."),
            code="too_large",
            status=413,
        )
    return body


def slow_down(name: str) -> None:
    """Count a message of this minute, by the name of what it is for.

    Raises:
        DomainError: 429, there were too many.
    """
    try:
        cache.add(name, 0, MINUTE)
        number = cache.incr(name)
    except (redis.RedisError, OSError, ValueError):
        # Away, or the minute just ended: a message matters more than the count.
        return
    if number > settings.HOOK_PER_MINUTE:
        raise DomainError(
            _("Too many messages in a minute."),
            _("Send the next one later."),
            code="too_many",
            status=429,
            retry_after=MINUTE,
        )


def _answer(request: HttpRequest, delivery: InHookDelivery) -> JsonResponse:
    made, verdict = delivery.made, Verdict(delivery.verdict)
    words = delivery.words
    if verdict == Verdict.REFUSED:
        # Names of hosts and fields are for readers of the portal.
        words = _("It was refused: the web-hook's page in the portal says why.")
    told: dict[str, Any] = {"verdict": verdict.value, "message": words}
    told |= {"run": delivery.run_id, "workflow_run": delivery.workflow_run_id}
    told["url"] = request.build_absolute_uri(made.get_absolute_url()) if made else ""
    return JsonResponse(told, status=STATUS.get(verdict, 200))

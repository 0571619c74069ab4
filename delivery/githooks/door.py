"""Where messages of git hosts come in: size, signature, then everything else; who has no right signature learns nothing."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.throttle import count_address
from adminset.errors import DomainError, NotFound
from adminset.http import error_response
from adminset.middleware import client_address
from delivery.githooks import receiving, signing
from delivery.models import GitHook, GitHookDelivery
from tasks.hooks.door import MOST_MISSES, read_body, slow_down
from tasks.hooks.once import Came

Verdict = GitHookDelivery.Verdict
STATUS = {Verdict.REFUSED: 422}


@csrf_exempt
@never_cache
@require_POST
def githook_in(request: HttpRequest, key: str) -> JsonResponse:
    """Take a message; the same 404 for an address that there is not and for a wrong signature."""
    try:
        return _treated(request, key)
    except DomainError as error:
        return error_response(error)


def _treated(request: HttpRequest, key: str) -> JsonResponse:
    body = read_body(request)
    address = client_address(request)
    found = GitHook.objects.filter(key=key, enabled=True)
    related = ("pipeline__project", "pipeline__template", "environment__project")
    hook = found.select_related(*related, "run_as").first()
    signed = signing.check(hook, request.headers, body)
    if hook is None or signed is None:
        count_address(address, kind="git-hook", limit=MOST_MISSES)
        raise NotFound(
            _("There is no such web-hook, or the signature is wrong."), code="not_found"
        )
    slow_down(f"git-hook:{hook.pk}")
    delivery = receiving.receive(hook, Came(body, signed, address))
    return _answer(request, delivery)


def _answer(request: HttpRequest, delivery: GitHookDelivery) -> JsonResponse:
    verdict, words = Verdict(delivery.verdict), delivery.words
    if verdict == Verdict.REFUSED:
        # Names of people and hosts are for readers of the portal.
        words = _("It was refused: the web-hook's page in the portal says why.")
    told: dict[str, Any] = {"verdict": verdict.value, "message": words}
    told["request"] = delivery.request_id
    told["url"] = request.build_absolute_uri(delivery.hook.get_absolute_url())
    return JsonResponse(told, status=STATUS.get(verdict, 202))

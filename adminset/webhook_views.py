"""Acts on web-hooks: a test message, and a message once more."""

from typing import cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from adminset import webhook_sending
from adminset.audit import Actor
from adminset.http import requires
from adminset.webhook_models import WebHook, WebHookDelivery
from adminset.webhook_resource import WEBHOOK

CHANGE = "adminset.change_webhook"


@requires(CHANGE)
@require_POST
def webhook_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test message and say what came of it."""
    hook = _own(request, pk)
    actor = cast("Actor", request.user)
    return _told(request, webhook_sending.send_test(actor=actor, hook=hook))


@requires(CHANGE)
@require_POST
def webhook_resend(request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
    """Send a message once more and say what came of it."""
    hook = _own(request, pk)
    row = WebHookDelivery.objects.filter(hook=hook, pk=delivery).first()
    if row is None:
        raise Http404
    actor = cast("Actor", request.user)
    return _told(request, webhook_sending.send_again(actor=actor, delivery=row))


def _own(request: HttpRequest, pk: int) -> WebHook:
    row: WebHook | None = WEBHOOK.rows(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404
    if not WEBHOOK.rows(request.user, "change").filter(pk=pk).exists():
        raise PermissionDenied(CHANGE)
    return row


def _told(request: HttpRequest, delivery: WebHookDelivery) -> HttpResponse:
    if delivery.state == WebHookDelivery.State.SENT:
        messages.success(request, _("The receiver took the message."))
    else:
        words = _("The message was not taken: %(why)s")
        messages.error(request, words % {"why": delivery.error})
    return redirect(f"{delivery.hook.get_absolute_url()}?tab=deliveries")

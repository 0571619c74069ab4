"""Acts on checks and heartbeats: ask now, pause, go on."""

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from adminset.audit import Actor
from adminset.http import requires
from adminset.querysets import permission_for
from monitor.checks import services
from monitor.models import ServiceCheck
from monitor.watched_models import Watched

CHANGE = "monitor.change_servicecheck"


def own(request: HttpRequest, model: type[Watched], pk: int) -> Any:
    """Get a check or heartbeat that the user may change.

    Raises:
        Http404: there is none that the user may see.
        PermissionDenied: the user sees it and may not change it.
    """
    rows: Any = model._default_manager
    row = rows.visible_to(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404
    if not rows.visible_to(request.user, "change").filter(pk=pk).exists():
        raise PermissionDenied(permission_for(model, "change"))
    return row


@requires(CHANGE)
@require_POST
def servicecheck_ask(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask now."""
    check = own(request, ServiceCheck, pk)
    if services.ask_now(actor=cast("Actor", request.user), check=check):
        messages.success(
            request, _("It is asked now: load the page again in a moment.")
        )
    else:
        messages.error(request, _("It is paused: let it go on first."))
    return redirect(check)


@requires(CHANGE)
@require_POST
def servicecheck_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause a check."""
    return switch(request, own(request, ServiceCheck, pk), enabled=False)


@requires(CHANGE)
@require_POST
def servicecheck_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on with a check."""
    return switch(request, own(request, ServiceCheck, pk), enabled=True)


def switch(request: HttpRequest, watched: Any, *, enabled: bool) -> HttpResponse:
    """Pause or go on, and lead back."""
    actor = cast("Actor", request.user)
    services.set_enabled(actor=actor, watched=watched, enabled=enabled)
    words = _("%(name)s goes on.") if enabled else _("%(name)s is paused.")
    messages.success(request, words % {"name": watched})
    return redirect(watched)

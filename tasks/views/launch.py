"""Stopping runs and repeating them."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_POST,
)

from adminset.http import requires
from tasks import tasks
from tasks.models import Run
from tasks.services import cancel
from tasks.views.watch import find_run


@requires("tasks.add_run")
@require_POST
def run_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the same once more: on all hosts, on those where it did not end well, or on some (`hosts`: see repeat_run)."""
    run = find_run(request, pk)
    return redirect(
        tasks.enqueue_repeat(
            actor=request.user,
            run=run,
            failed_only="failed" in request.POST,
            selection=request.POST.getlist("hosts") or ["all"],
        )
    )


@requires("tasks.cancel_run")
@require_POST
def run_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop a run."""
    run = find_run(request, pk)
    if not Run.objects.visible_to(request.user, "cancel").filter(pk=pk).exists():
        raise PermissionDenied("tasks.cancel_run")
    cancel.cancel_run(actor=request.user, run=run)
    messages.info(request, _("%(run)s is being stopped.") % {"run": run})
    return redirect(run)

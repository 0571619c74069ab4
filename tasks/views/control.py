"""Pausing runs and letting them go on."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from adminset.http import requires
from tasks.models import Run
from tasks.services import control
from tasks.views.watch import find_run


def _to_control(request: HttpRequest, pk: int) -> Run:
    """Get a run that the user may pause: 404 where it cannot be seen, 403 where it may not be."""
    run = find_run(request, pk)
    if not Run.objects.visible_to(request.user, "control").filter(pk=pk).exists():
        raise PermissionDenied("tasks.control_run")
    return run


@requires("tasks.control_run")
@require_POST
def run_pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Let what runs come to its end and begin nothing new."""
    run = control.pause_run(actor=request.user, run=_to_control(request, pk))
    words = _("%(run)s is paused: what runs comes to its end.")
    messages.info(request, words % {"run": run})
    return redirect(run)


@requires("tasks.control_run")
@require_POST
def run_resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a paused run go on."""
    run = control.resume_run(actor=request.user, run=_to_control(request, pk))
    messages.info(request, _("%(run)s goes on.") % {"run": run})
    return redirect(run)

"""Buttons of schedules and playbooks."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from adminset.http import requires
from tasks import tasks
from tasks.models import Schedule
from tasks.services.schedules import switch_schedule


def _find(request: HttpRequest, pk: int, action: str = "view") -> Schedule:
    schedule = (
        Schedule.objects.visible_to(request.user)
        .select_related("playbook", "periodic_task")
        .filter(pk=pk)
        .first()
    )
    if schedule is None:
        raise Http404(_("There is no such schedule."))
    if not Schedule.objects.visible_to(request.user, action).filter(pk=pk).exists():
        raise PermissionDenied(f"tasks.{action}_schedule")
    return schedule


@requires("tasks.add_run")
@require_POST
def schedule_run_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Run a schedule's work at once, as the one who asks."""
    return redirect(
        tasks.enqueue_schedule(actor=request.user, schedule=_find(request, pk))
    )


@requires("tasks.change_schedule")
@require_POST
def schedule_enable(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn a schedule on; from now on it runs as the one who asks."""
    return _switch(request, pk, enabled=True)


@requires("tasks.change_schedule")
@require_POST
def schedule_disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn a schedule off."""
    return _switch(request, pk, enabled=False)


def _switch(request: HttpRequest, pk: int, *, enabled: bool) -> HttpResponse:
    schedule = _find(request, pk, "change")
    switch_schedule(actor=request.user, schedule=schedule, enabled=enabled)
    words = _("%(name)s is on.") if enabled else _("%(name)s is off.")
    messages.success(request, words % {"name": schedule})
    return redirect(schedule)


@requires("tasks.add_run")
@require_safe
def playbook_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Lead from a playbook to the launch page."""
    return redirect(f"{reverse('tasks:run_add')}?playbook={pk}")

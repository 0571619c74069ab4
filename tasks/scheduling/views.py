"""Buttons of schedules, what would run while one types, and the card of the home page."""

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from adminset.http import requires
from tasks import tasks
from tasks.models import Schedule
from tasks.scheduling.forms import PauseForm, TimesForm
from tasks.scheduling.planned import planned_times
from tasks.scheduling.seen import notices_of, schedules_of
from tasks.services.schedules import switch_schedule

CARD_DAYS, CARD_ROWS = 3, 6


def _find(request: HttpRequest, pk: int, action: str = "view") -> Schedule:
    schedule = schedules_of(request.user).filter(pk=pk).first()
    if schedule is None:
        raise Http404(_("There is no such schedule."))
    if not schedules_of(request.user, action).filter(pk=pk).exists():
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
    schedule = _find(request, pk, "change")
    switch_schedule(actor=request.user, schedule=schedule, enabled=True)
    messages.success(request, _("%(name)s is on.") % {"name": schedule})
    return redirect(schedule)


@requires("tasks.change_schedule")
@require_http_methods(["GET", "HEAD", "POST"])
def schedule_disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask why a schedule is to pause, and turn it off."""
    schedule = _find(request, pk, "change")
    form = PauseForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        switch_schedule(
            actor=request.user,
            schedule=schedule,
            enabled=False,
            reason=form.cleaned_data["reason"],
        )
        messages.success(request, _("%(name)s is off.") % {"name": schedule})
        return redirect(schedule)
    status = 422 if form.is_bound else 200
    context = {"form": form, **_pause_page(schedule)}
    return render(request, "generic/form.html", context, status=status)


def _pause_page(schedule: Schedule) -> dict[str, object]:
    title = _("Pause %(name)s") % {"name": schedule}
    return {
        "page_title": title,
        "crumbs": [
            (_("Schedules"), reverse("tasks:schedule_list")),
            (str(schedule), schedule.get_absolute_url()),
            (title, None),
        ],
        "cancel_url": schedule.get_absolute_url(),
        "submit_title": _("Pause"),
    }


@requires("tasks.view_schedule")
@require_safe
def schedule_preview(request: HttpRequest) -> HttpResponse:
    """Draw the next times of what stands in the form, with words for the crontab, or what is wrong with it."""
    form = TimesForm(request.GET, user=request.user)
    context: dict[str, object] = {"form": form}
    if form.is_valid():
        schedule = form.instance
        context |= {
            "object": schedule,
            "words": schedule.when,
            "times": planned_times(schedule, timezone.now()),
        }
    return render(request, "tasks/_schedule_preview.html", context)


@requires("tasks.view_schedule")
@require_safe
def schedule_card(request: HttpRequest) -> HttpResponse:
    """Draw the card of the home page: how many are on, how many fail, what was told of late."""
    listed = reverse("tasks:schedule_list")
    context = {
        "tiles": _tiles(request, listed),
        "rows": _told(request),
        "more_url": listed,
        "more_title": _("All schedules"),
    }
    return render(request, "components/_card.html", context)


def _tiles(request: HttpRequest, listed: str) -> list[dict[str, object]]:
    seen = schedules_of(request.user)
    failing = seen.filter(failures__gt=0).count()
    return [
        {
            "label": _("on"),
            "value": seen.filter(enabled=True).count(),
            "url": f"{listed}?enabled=true",
        },
        {
            "label": _("fail"),
            "value": failing,
            "url": f"{listed}?failing=true",
            "state": "danger" if failing else "",
        },
    ]


def _told(request: HttpRequest) -> list[dict[str, object]]:
    since = timezone.now() - timedelta(days=CARD_DAYS)
    notices = notices_of(request.user)
    latest = notices.filter(created_at__gte=since).select_related("schedule")
    return [
        {
            "title": notice.schedule.name,
            "url": notice.schedule.get_absolute_url(),
            "state": notice.colour,
            "state_label": notice.get_kind_display(),
            "when": notice.created_at,
        }
        for notice in latest[:CARD_ROWS]
    ]

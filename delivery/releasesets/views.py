"""Pages of sets: what would be done, the start, how a release run stands, its stop."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from adminset.crud.views import find
from adminset.errors import DomainError
from adminset.http import form_refuses, requires
from delivery.models import ReleaseSet, SetRun
from delivery.pages.showing import head
from delivery.releasesets.finding import find_run, progress_of
from delivery.releasesets.forms import StartForm, StopForm, TakeBackForm
from delivery.releasesets.part_plans import question_of, told_of
from delivery.releasesets.resources import RELEASE_SETS
from delivery.releasesets.starting import cancel_set, start_set
from delivery.releasesets.taking_back import (
    BackStep,
    ensure_can,
    ensure_may_take_back,
    steps_back,
    take_back,
)


def _head(title: str, *above: tuple[Any, str | None]) -> dict[str, Any]:
    first = (_("Sets of releases"), reverse("delivery:releaseset_list"))
    return head(title, first, *above)


@requires("delivery.add_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def releaseset_start(request: Any, pk: int) -> HttpResponse:
    """Show what would be done where and ask why; then start it."""
    row: ReleaseSet = find(RELEASE_SETS, request.user, pk)
    form = StartForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            return redirect(
                start_set(actor=request.user, release_set=row, reason=reason)
            )
        except DomainError as error:
            form_refuses(form, error)
    items = row.places.select_related("pipeline__project", "environment__project")
    title = _("Start %(name)s") % {"name": row}
    context = _head(title, (str(row), row.get_absolute_url())) | {
        "form": form,
        "places": list(items.order_by("position")),
        "cancel_url": row.get_absolute_url(),
        "submit_title": _("Start"),
    }
    status = 422 if form.errors else 200
    return render(request, "delivery/sets/start.html", context, status=status)


@requires("delivery.add_deploy")
@require_safe
def releaseset_plan(request: Any, pk: int, position: int) -> HttpResponse:
    """Draw what one part would do to which hosts; asked again until a worker has made the plan."""
    row: ReleaseSet = find(RELEASE_SETS, request.user, pk)
    related = ("pipeline__project", "environment__project")
    place = get_object_or_404(row.places.select_related(*related), position=position)
    question = question_of(request.user, place, request.GET.get("key", "")[:64])
    context = {"place": place, "question": question} | told_of(request.user, question)
    return render(request, "delivery/sets/_part_plan.html", context)


@requires("delivery.view_setrun")
@require_safe
def setrun_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show how a release run stands, part by part."""
    run = find_run(request.user, pk)
    above = [(run.name, run.release_set.get_absolute_url())] if run.release_set else []
    context = _head(str(run), *above) | progress_of(request.user, run)
    return render(request, "delivery/sets/setrun_detail.html", context)


@requires("delivery.view_setrun")
@require_safe
def setrun_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """Draw what changes while it runs."""
    context = progress_of(request.user, find_run(request.user, pk))
    return render(request, "delivery/sets/_progress.html", context)


@requires("delivery.cancel_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def setrun_cancel(request: Any, pk: int) -> HttpResponse:
    """Ask why a release run is stopped, and stop it: what was delivered is taken back."""
    run = find_run(request.user, pk)
    form = StopForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            cancel_set(actor=request.user, run=run, reason=form.cleaned_data["reason"])
            return redirect(run)
        except DomainError as error:
            form_refuses(form, error)
    title = _("Stop %(run)s and take back what was delivered") % {"run": run}
    context = _head(title, (str(run), run.get_absolute_url())) | {
        "form": form,
        "cancel_url": run.get_absolute_url(),
        "submit_title": _("Stop"),
    }
    status = 422 if form.errors else 200
    return render(request, "generic/form.html", context, status=status)


@requires("delivery.add_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def setrun_take_back(request: Any, pk: int) -> HttpResponse:
    """Show what goes back in which order and to what, ask why, and take it back."""
    run = find_run(request.user, pk)
    # What is live there is for those who may deliver there.
    ensure_may_take_back(request.user, run)
    form = TakeBackForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            return redirect(take_back(actor=request.user, run=run, reason=reason))
        except DomainError as error:
            form_refuses(form, error)
    steps = steps_back(run)
    title = _("Take back %(run)s") % {"run": run}
    context = _head(title, (str(run), run.get_absolute_url())) | {
        "form": form,
        "steps": steps,
        "problem": "" if form.errors else _in_the_way(run, steps),
        "cancel_url": run.get_absolute_url(),
        "submit_title": _("Take back"),
    }
    status = 422 if form.errors else 200
    return render(request, "delivery/sets/take_back.html", context, status=status)


def _in_the_way(run: SetRun, steps: list[BackStep]) -> str:
    try:
        ensure_can(run, steps)
    except DomainError as error:
        return error.sentence
    return ""


urlpatterns = [
    path("release-sets/<int:pk>/start/", releaseset_start, name="releaseset_start"),
    path(
        "release-sets/<int:pk>/plans/<int:position>/",
        releaseset_plan,
        name="releaseset_plan",
    ),
    path("release-sets/runs/<int:pk>/", setrun_detail, name="setrun_detail"),
    path("release-sets/runs/<int:pk>/panel/", setrun_panel, name="setrun_panel"),
    path("release-sets/runs/<int:pk>/cancel/", setrun_cancel, name="setrun_cancel"),
    path(
        "release-sets/runs/<int:pk>/take-back/",
        setrun_take_back,
        name="setrun_take_back",
    ),
]

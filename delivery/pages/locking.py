"""Locks of environments: who has which in hand, taking one by hand, giving it back, breaking somebody else's."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from adminset.errors import DomainError
from adminset.http import form_refuses, requires
from adminset.navigation import tabs_for
from appconf.models import Environment
from delivery.act_forms import ReasonForm
from delivery.models import DeployLock
from delivery.pages.finding import find
from delivery.pages.showing import head
from delivery.safety import locks
from delivery.tabs import TABS

ABOVE = "delivery:deploylock_list"
# Where there are more environments, they are looked for on the page of what is live where.
MOST_BUTTONS = 12
MOST_FREE = 200


@requires("delivery.view_deploylock")
@require_safe
def deploylock_list(request: HttpRequest) -> HttpResponse:
    """Show the locks that are held, and the environments that can be locked."""
    user: Any = request.user
    rows = DeployLock.objects.visible_to(user)
    rows = rows.select_related("environment__project", "deploy", "owner")
    held = list(rows.defer("deploy__plan"))
    breakable = set(
        DeployLock.objects.visible_to(user, "break").values_list("pk", flat=True)
    )
    pushes = locks.pushes_of(held)
    for lock in held:
        row: Any = lock
        row.push = pushes.get(lock.pk)
        # The lock of a deploy or a push that goes on is let go by stopping it.
        goes_on = row.push or (lock.deploy is not None and lock.deploy.is_open)
        is_own = not lock.deploy_id and lock.owner_id == user.pk
        row.is_mine = is_own and not goes_on
        row.can_break = lock.pk in breakable and not is_own and not goes_on
    free = Environment.objects.none()
    if user.has_perm("delivery.add_deploylock"):
        mine = Environment.objects.visible_to(user, "deploy")
        free = mine.filter(deploy_lock=None).select_related("project").in_order()
    context = head(_("Locks")) | {
        "locks": held,
        "free": list(free[:MOST_FREE]),
        "most_buttons": MOST_BUTTONS,
        "tabs": tabs_for(request, TABS),
    }
    return render(request, "delivery/deploylock_list.html", context)


@requires("delivery.add_deploylock")
@require_http_methods(["GET", "HEAD", "POST"])
def environment_lock(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask why, and lock an environment so that nothing is deployed there."""
    environment = find(Environment, request.user, pk, "deploy")

    def take(reason: str) -> None:
        locks.take_lock(actor=request.user, environment=environment, reason=reason)

    words = _("%(name)s is locked.") % {"name": environment}
    return _ask(request, str(environment), _("Lock"), take, words)


@requires("delivery.add_deploylock")
@require_POST
def deploylock_release(request: HttpRequest, pk: int) -> HttpResponse:
    """Give back a lock that one took."""
    lock = find(DeployLock, request.user, pk)
    locks.release_lock(actor=request.user, lock=lock)
    messages.success(request, _("The lock is given back."))
    return redirect(ABOVE)


@requires("delivery.break_deploylock")
@require_http_methods(["GET", "HEAD", "POST"])
def deploylock_break(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask why, and take away somebody else's lock."""
    lock = find(DeployLock, request.user, pk, "break")

    def take_away(reason: str) -> None:
        locks.break_lock(actor=request.user, lock=lock, reason=reason)

    told = locks.words_of(lock)
    words = _("The lock is broken.")
    return _ask(
        request, str(lock.environment), _("Break the lock"), take_away, words, told
    )


def _ask(
    request: HttpRequest, name: str, verb: str, act: Any, words: str, told: str = ""
) -> HttpResponse:
    """Ask for a reason, then act with it."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            act(form.cleaned_data["reason"])
        except DomainError as error:
            form_refuses(form, error)
        else:
            messages.success(request, words)
            return redirect(ABOVE)
    above = (_("Locks"), reverse(ABOVE))
    context = head(f"{verb}: {name}", above) | {
        "form": form,
        "told": told,
        "cancel_url": reverse(ABOVE),
        "submit_title": verb,
    }
    status = 422 if form.errors else 200
    return render(request, "delivery/deploylock_reason.html", context, status=status)

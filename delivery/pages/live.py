"""What is live where: all environments at a glance, one of them host by host, and the way back to an earlier release."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
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
from adminset.querysets import may
from appconf.models import Environment
from delivery.act_forms import RollbackForm
from delivery.engine.rolling_back import request_rollback
from delivery.models import LiveRelease
from delivery.pages.finding import find, pipelines_to
from delivery.pages.showing import head
from delivery.safety import drift
from delivery.safety.giving_way import cancels_words
from delivery.safety.host_locks import may_break, seen
from delivery.safety.subjects import DEEP, HOST_LOCK, LOOK
from delivery.selectors import Place, places_of
from delivery.tabs import TABS

PLACES_PER_PAGE = 25
HOSTS_PER_PAGE = 100


@requires("delivery.view_liverelease")
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Show every environment with what is live there."""
    rows = Environment.objects.visible_to(request.user).select_related("project")
    if q := request.GET.get("q", "").replace("\x00", "").strip()[:100]:
        rows = rows.filter(project__name__icontains=q) | rows.filter(name__icontains=q)
    page = Paginator(rows.in_order(), PLACES_PER_PAGE).get_page(request.GET.get("page"))
    context = head(_("What is live where")) | {
        "page": page,
        "places": places_of(request.user, page.object_list),
        "q": q,
        "tabs": tabs_for(request, TABS),
    }
    return render(request, "delivery/live.html", context)


@requires("delivery.view_liverelease")
@require_safe
def environment_live(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the hosts of an environment say, beside what the portal says."""
    environment = find(Environment, request.user, pk)
    place = places_of(request.user, [environment])[0]
    page = Paginator(_worst_first(place), HOSTS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    _name_holders(request.user, environment, page.object_list)
    above = (_("What is live where"), reverse("delivery:live"))
    delivers = may(request.user, "deploy", environment)
    context = head(str(environment), above) | {
        "place": place,
        "environment": environment,
        "page": page,
        "can_deploy": delivers and request.user.has_perm("delivery.add_deploy"),
        "can_lock": delivers and request.user.has_perm("delivery.add_deploylock"),
        "pipelines": pipelines_to(request.user, environment),
        "going": _going_words(environment),
    }
    return render(request, "delivery/environment_live.html", context)


def _going_words(environment: Environment) -> list[str]:
    """Say what the hosts are asked just now."""
    going = drift.asked_now(environment)
    words = {
        LOOK: _("The hosts are asked. What they say stands here soon."),
        DEEP: _(
            "The hosts compare their files. What they find stands here when they are done."
        ),
        HOST_LOCK: _("The host is asked to give its lock away."),
    }
    return [sentence for subject, sentence in words.items() if subject in going]


def _name_holders(user: Any, environment: Environment, rows: Iterable[Any]) -> None:
    """Give each row the deploy whose lock lies on its host, for who may take that away."""
    listed = list(rows)
    if may_break(user, environment):
        found = seen(environment, [row.host_id for row in listed])
        for row in listed:
            row.lock = found.get(row.host_id)


def _worst_first(place: Place) -> list[LiveRelease]:
    return sorted(
        place.rows,
        key=lambda row: (not row.has_drifted, not row.problem, row.host.hostname),
    )


@requires("delivery.add_deploy")
@require_http_methods(["GET", "HEAD", "POST"])
def environment_rollback(request: Any, pk: int) -> HttpResponse:
    """Ask to which release and why; then switch back: only the switch, for hosts keep earlier releases."""
    environment = find(Environment, request.user, pk, "deploy")
    data = request.POST if request.method == "POST" else None
    asked = {name: request.GET.get(name) for name in ("pipeline", "to_artefact")}
    form = RollbackForm(data, user=request.user, environment=environment, initial=asked)
    if request.method == "POST" and form.is_valid():
        try:
            deploy = request_rollback(
                actor=request.user, environment=environment, **form.cleaned_data
            )
        except DomainError as error:
            form_refuses(form, error)
        else:
            messages.info(request, _("The rollback has begun."))
            return redirect(deploy)
    return _rollback_page(request, environment, form)


def _rollback_page(request: Any, environment: Environment, form: Any) -> HttpResponse:
    above = (_("What is live where"), reverse("delivery:live"))
    here = reverse("delivery:environment_live", args=[environment.pk])
    context = head(_("Roll back"), above, (str(environment), here)) | {
        "form": form,
        "place": places_of(request.user, [environment])[0],
        "cancels": cancels_words(environment),
        "cancel_url": here,
        "submit_title": _("Roll back"),
    }
    status = 422 if form.errors else 200
    return render(request, "delivery/environment_rollback.html", context, status=status)


@requires("delivery.add_deploy")
@require_POST
def environment_read(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the hosts of an environment what is live there; nothing is changed."""
    environment = find(Environment, request.user, pk, "deploy")
    drift.ask(environment, by_hand=True)
    return redirect("delivery:environment_live", pk)

"""Buttons of triggers: pause, go on."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from adminset.crud.resource import Resource
from adminset.crud.views import find
from adminset.http import requires
from delivery.triggers.forms import PauseForm
from delivery.triggers.resources import DEPLOY_SCHEDULES, FOLLOW_UPS, GIT_HOOKS
from delivery.triggers.saving import switch_trigger


def _enabling(resource: Resource) -> Callable[..., HttpResponse]:
    @requires(resource.permission("change"))
    @require_POST
    def enable(request: HttpRequest, pk: int) -> HttpResponse:
        """Turn it on; from now on it delivers as the one who asks."""
        row: Any = find(resource, request.user, pk, "change")
        switch_trigger(actor=request.user, row=row, enabled=True)
        messages.success(request, _("%(name)s is on.") % {"name": row})
        return redirect(row)

    return enable


def _disabling(resource: Resource) -> Callable[..., HttpResponse]:
    @requires(resource.permission("change"))
    @require_http_methods(["GET", "HEAD", "POST"])
    def disable(request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why it is to pause, and turn it off."""
        row: Any = find(resource, request.user, pk, "change")
        form = PauseForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            switch_trigger(actor=request.user, row=row, enabled=False, reason=reason)
            messages.success(request, _("%(name)s is off.") % {"name": row})
            return redirect(row)
        context = {"form": form, **_page(resource, row)}
        status = 422 if form.is_bound else 200
        return render(request, "generic/form.html", context, status=status)

    return disable


def _page(resource: Resource, row: Any) -> dict[str, Any]:
    title = _("Pause %(name)s") % {"name": row}
    above = (str(resource.verbose_name_plural), reverse(resource.url_name("list")))
    return {
        "page_title": title,
        "crumbs": [above, (str(row), row.get_absolute_url()), (title, None)],
        "cancel_url": row.get_absolute_url(),
        "submit_title": _("Pause"),
    }


def _paths(resource: Resource) -> list[Any]:
    name = resource.model_name
    return [
        path(
            f"{resource.path}/<int:pk>/enable/",
            _enabling(resource),
            name=f"{name}_enable",
        ),
        path(
            f"{resource.path}/<int:pk>/disable/",
            _disabling(resource),
            name=f"{name}_disable",
        ),
    ]


urlpatterns = [
    *_paths(DEPLOY_SCHEDULES),
    *_paths(FOLLOW_UPS),
    *_paths(GIT_HOOKS),
]

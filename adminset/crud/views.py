"""The pages that every resource has: list, detail, add, edit, delete, history."""

import functools
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from adminset.crud import export, fields, list_parts, past
from adminset.crud.forms import ResourceForm
from adminset.crud.history import seen_entries, without_verbs
from adminset.crud.lists import Listing
from adminset.crud.resource import Action, Panel, Resource, panels_of
from adminset.errors import DomainError
from adminset.http import View, is_htmx, requires, safe_next
from adminset.models import AuditEntry
from adminset.navigation import tabs_for
from adminset.querysets import everywhere, may, permission_for

OVERVIEW = Panel("overview", _lazy("Overview"), "generic/_fields.html")
TRAIL = "adminset.view_auditentry"
HISTORY = Panel("history", _lazy("History"), "")


def bind(view: Any, resource: Resource, *permissions: str) -> View:
    """Make a generic view the view of one resource, for those who hold one of the permissions."""

    @requires(*permissions)
    @functools.wraps(view)
    def bound(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, resource, *args, **kwargs)

    bound.resource = resource  # type: ignore[attr-defined]
    return bound


def find(resource: Resource, user: Any, pk: int, action: str = "view") -> Any:
    """Get one row on which the user may do the action.

    Raises:
        Http404: there is none, or the user may not see it.
        PermissionDenied: the user sees it but may not do this.
    """
    row = resource.for_list(resource.rows(user), user).filter(pk=pk).first()
    if row is None:
        raise Http404(_("There is no such %(name)s.") % {"name": resource.verbose_name})
    if action != "view" and not resource.rows(user, action).filter(pk=pk).exists():
        raise PermissionDenied(resource.permission(action))
    return row


def list_page(request: HttpRequest, resource: Resource) -> HttpResponseBase:
    """Show the list: filtered, sorted, paged; or give exactly what it shows as a file (`?export=csv`).

    `?freeze=1` gives all that matches as a selection, `?add=<field>` the control of a further filter.
    """
    elsewhere = list_parts.elsewhere(request, resource)
    if elsewhere is not None:
        return elsewhere
    listing = Listing(request, resource)
    if request.GET.get("export"):
        listing.refuse_problems()
        return export.download(request.GET["export"], listing)
    listing.turn_to_page()
    template = "generic/_list.html" if is_htmx(request) else "generic/list.html"
    context = listing.context() | {"tabs": tabs_for(request, resource.tabs)}
    if template == "generic/list.html":
        context |= list_parts.filter_control(request, resource)
    own = f"{resource.app_label}/{resource.model_name}_list.html"
    templates = [template] if is_htmx(request) else [own, template]
    return render(request, templates, context)


def detail_page(request: HttpRequest, resource: Resource, pk: int) -> HttpResponse:
    """Show one object: overview, the resource's own tabs, history."""
    instance = find(resource, request.user, pk)
    panels = _panels(request, resource, instance)
    active = next((panel for panel in panels if panel["active"]), panels[0])
    active["active"] = True
    panel: Panel = active["panel"]
    context = _head(resource, instance) | {
        "panels": panels,
        "panel": panel,
        "fields": fields.describe(resource, instance, request.user)
        if panel is OVERVIEW
        else [],
        "can": _object_can(request, resource, instance),
        "actions": _actions(request, resource, instance),
    }
    own = f"{resource.app_label}/{resource.model_name}_detail.html"
    return render(
        request,
        [own, "generic/detail.html"],
        context | dict(panel.context(request, instance)),
    )


def _panels(
    request: HttpRequest, resource: Resource, instance: models.Model
) -> list[dict[str, Any]]:
    base = resource.url("detail", instance.pk)
    chosen = request.GET.get("tab", OVERVIEW.key)
    shown = [
        _tab(panel, f"{base}?tab={panel.key}", active=panel.key == chosen)
        for panel in (OVERVIEW, *panels_of(resource))
        if not panel.permission or request.user.has_perm(panel.permission)
    ]
    return [*shown, _tab(HISTORY, resource.url("history", instance.pk), active=False)]


def _tab(panel: Panel, url: str, *, active: bool) -> dict[str, Any]:
    tab = {"key": panel.key, "title": panel.title, "template": panel.template}
    return {**tab, "panel": panel, "url": url, "active": active}


def _object_can(
    request: HttpRequest, resource: Resource, instance: models.Model
) -> dict[str, bool]:
    return {
        verb: verb in resource.verbs
        and resource.rows(request.user, verb).filter(pk=instance.pk).exists()
        for verb in ("change", "delete")
    }


def _actions(
    request: HttpRequest, resource: Resource, instance: models.Model
) -> list[dict[str, Any]]:
    return [
        {
            "title": title,
            "url": reverse(a.url_name, args=[instance.pk]),
            "icon": a.icon,
            "post": a.post,
            "new_page": a.new_page,
        }
        for a in resource.actions
        if _may_act(request.user, a, instance)
        and a.when(instance)
        and a.may(request.user, instance)
        and (title := a.told(request.user, instance) if a.told else a.title)
    ]


def _may_act(user: Any, offered: Action, instance: models.Model) -> bool:
    """Ask about the object where the permission is one about such objects, else whether it is held at all."""
    permission = offered.permission
    if offered.everywhere:
        return everywhere(user, permission)
    action = permission.partition(".")[2].partition("_")[0]
    if permission == permission_for(type(instance), action):
        return may(user, action, instance)
    return bool(user.has_perm(permission))


def _head(
    resource: Resource, instance: models.Model | None, title: str = ""
) -> dict[str, Any]:
    crumbs: list[tuple[Any, str | None]] = [
        (resource.verbose_name_plural, resource.url("list"))
    ]
    if instance is not None and title:
        crumbs.append((str(instance), resource.url("detail", instance.pk)))
    page_title = title or str(instance)
    return {
        "resource": resource,
        "object": instance,
        "crumbs": [*crumbs, (page_title, None)],
        "page_title": page_title,
    }


def history_page(request: HttpRequest, resource: Resource, pk: int) -> HttpResponse:
    """Show what happened to one object, newest first."""
    instance = find(resource, request.user, pk)
    about = {"target_type": resource.model._meta.label_lower, "target_id": str(pk)}
    # Who sees the whole trail may open each line; with a scoped grant only one's own acts.
    opens = everywhere(request.user, TRAIL)
    trail: models.QuerySet = AuditEntry.objects.filter(**about)
    if not opens and instance != request.user:
        trail = without_verbs(trail, resource.private_verbs)
    page = Paginator(trail, 50).get_page(request.GET.get("page"))
    panels = _panels(request, resource, instance)
    for panel in panels:
        panel["active"] = panel["key"] == "history"
    context = _head(resource, instance, _("History")) | {
        "entries": seen_entries(request.user, resource.model, page.object_list),
        "page": page,
        "about": urlencode(about),
        "opens": opens,
        "offers": "revert" in resource.verbs
        and request.user.has_perm(resource.permission("change")),
        "past_url": resource.url("past", pk),
    }
    return render(request, "generic/history.html", context | {"panels": panels})


def past_page(request: HttpRequest, resource: Resource, pk: int) -> HttpResponse:
    """Show an object as it was at the moment `?on=`, a day or a time."""
    instance = find(resource, request.user, pk)
    moment = past.moment_of(request.GET.get("on", ""))
    panels = _panels(request, resource, instance)
    for panel in panels:
        panel["active"] = panel["key"] == "history"
    was = past.past_of(instance, moment)
    context = _head(resource, instance, _("As it was")) | {
        "moment": moment,
        "past": was,
        "rows": past.describe_past(resource, instance, request.user, was),
        "past_url": resource.url("past", pk),
    }
    return render(request, "generic/past.html", context | {"panels": panels})


def add_page(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Take a new object; what the address says of its fields (`?kind=dynamic`) stands in the form already."""
    return _form_page(request, resource, None)


def edit_page(request: HttpRequest, resource: Resource, pk: int) -> HttpResponse:
    """Take changes to an object."""
    return _form_page(request, resource, find(resource, request.user, pk, "change"))


def _form_page(request: HttpRequest, resource: Resource, instance: Any) -> HttpResponse:
    title = (
        _("Edit") if instance else _("Add %(name)s") % {"name": resource.verbose_name}
    )
    name = str(instance) if instance else ""
    data = request.POST if request.method == "POST" else None
    asked = {} if instance else _asked(request, resource)
    files = request.FILES or None
    form = resource.form(
        data, files, user=request.user, instance=instance, initial=asked
    )
    if (
        request.method == "POST"
        and form.is_valid()
        and (saved := _saved(request, resource, form))
    ):
        messages.success(request, _("%(name)s is saved.") % {"name": saved})
        return redirect(safe_next(request, resource.url("detail", saved.pk)))
    context = _head(resource, instance, title) | {
        "form": form,
        "object_name": name,
        "cancel_url": resource.url("detail", instance.pk)
        if instance
        else resource.url("list"),
    }
    templates = [
        f"{resource.app_label}/{resource.model_name}_form.html",
        "generic/form.html",
    ]
    return render(request, templates, context, status=422 if form.errors else 200)


def _asked(request: HttpRequest, resource: Resource) -> dict[str, Any]:
    """Give the values of fields that the address names; never a secret's."""
    offered = set(resource.form.base_fields) - set(resource.form.secret_names())
    return {name: str(text) for name, text in request.GET.items() if name in offered}


def _saved(
    request: HttpRequest, resource: Resource, form: ResourceForm
) -> models.Model | None:
    try:
        return resource.save_checked(user=request.user, form=form)
    except DomainError as error:
        form.add_error(None, f"{error.message} {error.hint}".strip())
        return None


def delete_page(request: HttpRequest, resource: Resource, pk: int) -> HttpResponse:
    """Ask, showing what depends on the object; then delete it."""
    instance = find(resource, request.user, pk, "delete")
    if request.method == "POST":
        name = str(instance)
        resource.delete(actor=request.user, instance=instance)
        messages.success(request, _("%(name)s is deleted.") % {"name": name})
        return redirect(resource.url("list"))
    context = _head(resource, instance, _("Delete")) | {
        "dependents": fields.dependents(instance, request.user)
    }
    return render(request, "generic/confirm_delete.html", context)

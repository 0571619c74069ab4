"""The pages of saved views: those of one list, and what one does with each."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from adminset.crud import saved_views
from adminset.crud.resource import Resource, all_resources
from adminset.errors import DomainError
from adminset.http import SIGNED_IN, requires
from adminset.list_models import SavedView


def find_list(user: Any, path: str) -> Resource:
    """Get the resource of a list that a user may open.

    Raises:
        Http404: there is no such list. PermissionDenied: the user may not see it.
    """
    resource = next((each for each in all_resources() if each.path == path), None)
    if resource is None:
        raise Http404
    if not user.has_perm(resource.permission("view")):
        raise PermissionDenied(resource.permission("view"))
    return resource


@requires(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def views_page(request: HttpRequest, path: str) -> HttpResponse:
    """Show the views of a list that one may open, or keep a new one (POST `name`, `query`, `shared`)."""
    user: Any = request.user
    resource = find_list(user, path)
    if request.method == "POST":
        view = saved_views.save_view(
            actor=user,
            resource=resource,
            name=request.POST.get("name", ""),
            query=request.POST.get("query", ""),
            shared="shared" in request.POST,
        )
        return redirect(saved_views.address_of(resource, view))
    title = _("Views")
    rows = [
        {
            "view": view,
            "url": saved_views.address_of(resource, view),
            "may_change": saved_views.may_change(user, view),
        }
        for view in saved_views.views_of(user, resource)
    ]
    context = {
        "resource": resource,
        "page_title": title,
        "crumbs": [(resource.verbose_name_plural, resource.url("list")), (title, None)],
        "rows": rows,
        "for_all": saved_views.may_for_all(user),
    }
    return render(request, "generic/views.html", context)


@requires(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def view_page(request: HttpRequest, path: str, pk: int) -> HttpResponse:
    """Open a view, or do with it what `do` says; somebody else's private one is not there."""
    user: Any = request.user
    resource = find_list(user, path)
    rows = SavedView.objects.open_to(user).filter(resource=path)
    view = rows.select_related("owner").filter(pk=pk).first()
    if view is None:
        raise Http404
    if request.method != "POST":
        return redirect(saved_views.address_of(resource, view))
    _do(request, user, view)
    if request.POST.get("do") == "update":
        return redirect(saved_views.address_of(resource, view))
    return redirect(reverse("saved_views", args=[path]))


def _do(request: HttpRequest, user: Any, view: SavedView) -> None:
    act = request.POST.get("do", "")
    changes: dict[str, dict[str, Any]] = {
        "rename": {"name": request.POST.get("name", "")},
        "update": {"query": request.POST.get("query", "")},
        "share": {"is_shared": True},
        "unshare": {"is_shared": False},
    }
    defaults: dict[str, dict[str, bool]] = {
        "default": {"first": True},
        "no-default": {"first": False},
        "default-for-all": {"first": True, "for_all": True},
        "no-default-for-all": {"first": False, "for_all": True},
    }
    if act in changes:
        saved_views.change_view(actor=user, view=view, **changes[act])
    elif act in defaults:
        saved_views.set_default(actor=user, view=view, **defaults[act])
    elif act == "delete":
        saved_views.delete_view(actor=user, view=view)
    else:
        raise DomainError(_("There is nothing of this kind to do with a view."))

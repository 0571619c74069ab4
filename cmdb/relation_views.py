"""Relations of an object: set and taken away; and the picture of what stands or falls with it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from adminset.crud.resource import Resource
from adminset.crud.views import find
from adminset.errors import DomainError
from adminset.http import SIGNED_IN, requires, safe_next
from cmdb import impact as walking
from cmdb import related
from cmdb.forms.relations import RelationForm
from cmdb.services import relations
from cmdb.views import me


def _found(request: HttpRequest, path: str, pk: int) -> tuple[Resource, Any]:
    """Find an object that can be related and that the user may see.

    Raises:
        Http404: there is none.
    """
    resource = related.resource_at(path)
    if resource is None:
        raise Http404
    return resource, find(resource, request.user, pk)


def _tab(instance: Any) -> str:
    return f"{instance.get_absolute_url()}?tab=relations"


@requires(SIGNED_IN)
@require_POST
def related_add(request: HttpRequest, path: str, pk: int) -> HttpResponse:
    """Relate an object to another one, and go back to its tab."""
    _resource, instance = _found(request, path, pk)
    others = related.resource_at(request.POST.get("type", ""))
    if others is None:
        raise Http404
    form = RelationForm(request.POST, user=request.user, resource=others)
    try:
        if not form.is_valid():
            texts = [str(text) for each in form.errors.values() for text in each]
            raise DomainError(" ".join(texts))
        relations.add_relation(actor=me(request), source=instance, **form.cleaned_data)
    except DomainError as error:
        messages.error(request, f"{error.message} {error.hint}".strip())
        return redirect(f"{_tab(instance)}&type={others.path}")
    messages.success(
        request,
        _("%(source)s and %(target)s are related now.")
        % {"source": instance, "target": form.cleaned_data["target"]},
    )
    return redirect(_tab(instance))


@requires(SIGNED_IN)
@require_POST
def relation_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a relation away, and go back to the page where it was asked."""
    relation = related.visible_relations(request.user, "change").filter(pk=pk).first()
    if relation is None:
        raise Http404
    relations.remove_relation(actor=me(request), relation=relation)
    messages.success(request, _("The relation is taken away."))
    return redirect(safe_next(request, reverse("home")))


@requires(SIGNED_IN)
@require_safe
def impact(request: HttpRequest, path: str, pk: int) -> HttpResponse:
    """Show what falls with an object, or (`?direction=up`) what it stands on: as a picture and as a list."""
    resource, instance = _found(request, path, pk)
    direction = _direction(request)
    found = walking.picture(request.user, instance, direction)
    here = reverse("cmdb:impact", args=[path, pk])
    title = _("What stands or falls with this")
    context = {
        "page_title": title,
        "crumbs": [
            (capfirst(resource.verbose_name_plural), resource.url("list")),
            (str(instance), instance.get_absolute_url()),
            (title, None),
        ],
        "object": instance,
        "found": found,
        "kinds": _by_kind(found),
        "hidden": len(found.hidden),
        "down": direction == walking.DOWN,
        "ways": [
            {
                "title": words,
                "url": f"{here}?direction={way}",
                "active": way == direction,
            }
            for way, words in (
                (walking.DOWN, _("What falls with it")),
                (walking.UP, _("What it stands on")),
            )
        ],
        "data_url": f"{reverse('cmdb:impact_data', args=[path, pk])}?direction={direction}",
    }
    return render(request, "cmdb/impact.html", context)


@requires(SIGNED_IN)
@require_safe
def impact_data(request: HttpRequest, path: str, pk: int) -> JsonResponse:
    """Give the picture to the page's script."""
    _resource, instance = _found(request, path, pk)
    found = walking.picture(request.user, instance, _direction(request))
    return JsonResponse(walking.as_json(found))


def _direction(request: HttpRequest) -> str:
    return walking.UP if request.GET.get("direction") == walking.UP else walking.DOWN


def _by_kind(found: walking.Picture) -> list[dict[str, Any]]:
    """Group what was found by kind of object, with the step that led there first."""
    led: dict[Any, tuple[str, str]] = {}
    for near, far, words in found.steps:
        led.setdefault(far, (found.nodes[near].name, words))
    kinds: dict[str, list[dict[str, Any]]] = {}
    for node in found.nodes.values():
        if node.level:
            by, words = led.get(node.key, ("", ""))
            row = {"node": node, "by": by, "words": words}
            kinds.setdefault(node.kind, []).append(row)
    return [{"kind": kind, "rows": kinds[kind]} for kind in sorted(kinds)]

"""What a list's address can ask for besides the list: the default view, a further filter, all that matches as a selection."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from adminset.crud import lookup_values, lookups, saved_views, selection
from adminset.crud.lists import Matching
from adminset.crud.resource import Resource
from adminset.http import is_htmx

# What the control of a further filter sends.
FIELD, LOOKUP, VALUE = "add", "lookup", "value"


def elsewhere(request: HttpRequest, resource: Resource) -> HttpResponse | None:
    """Answer what is not the list itself; None: show the list."""
    if not request.GET and not is_htmx(request):
        view = saved_views.default_view(request.user, resource)
        return redirect(saved_views.address_of(resource, view)) if view else None
    if request.GET.get(LOOKUP):
        return _with_filter(request)
    if FIELD in request.GET and is_htmx(request):
        context = filter_control(request, resource)
        return render(request, "generic/_add_filter.html", context)
    if "freeze" in request.GET:
        return _frozen(request, resource)
    return None


def _with_filter(request: HttpRequest) -> HttpResponse:
    """Lead on to the list with one filter more, under its own name in the address."""
    params = request.GET.copy()
    name, lookup = params.get(FIELD, ""), params.get(LOOKUP, "")
    texts = ["1"] if lookup in lookup_values.ASK_NONE else params.getlist(VALUE)
    for key in (FIELD, LOOKUP, VALUE, "page"):
        params.pop(key, None)
    param = f"{lookups.PREFIX}{name}.{lookup}"
    params.setlist(param, [*params.getlist(param), *texts])
    return redirect(f"{request.path}?{params.urlencode()}")


def filter_control(request: HttpRequest, resource: Resource) -> dict[str, Any]:
    """Give what generic/_add_filter.html draws: the fields, and the questions and answers of the chosen one."""
    fields = lookups.fields_of(resource)
    chosen = fields.get(request.GET.get(FIELD, ""))
    context: dict[str, Any] = {
        "resource": resource,
        "lookup_fields": sorted(fields.values(), key=lambda each: each.label),
        "chosen_field": chosen,
        "carried": [
            (name, value)
            for name, values in request.GET.lists()
            if name not in {FIELD, LOOKUP, VALUE, "page"}
            for value in values
        ],
    }
    if chosen is not None:
        context["lookups"] = [
            (name, lookup_values.WORDS[name]) for name in chosen.lookups
        ]
        context["choices"] = lookup_values.choices_of(chosen.field, chosen.kind)
        context["choices_url"] = lookups.choices_url(chosen, request.user)
    return context


def _frozen(request: HttpRequest, resource: Resource) -> HttpResponse:
    token, count = selection.freeze(Matching(resource, request.GET, request.user))
    context = {"selection": token, "count": count, "resource": resource}
    return render(request, "generic/_frozen.html", context)

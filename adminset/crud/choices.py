"""Choosing among many rows: a select that draws only what is chosen, and the endpoint that it asks while somebody types."""

from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from adminset.crud.resource import Resource, all_resources
from adminset.http import SIGNED_IN, requires

MOST = 30


class _Remote(forms.Select):
    """What both kinds share: the options drawn are the chosen ones, the others come from `choices`."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__()

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Say where the other options come from."""
        attrs = super().build_attrs(base_attrs, extra_attrs)
        return attrs | {"data-choices": reverse("choices", args=[self.path])}

    def optgroups(self, name: str, value: list[str], attrs: Any = None) -> Any:
        """Draw the chosen rows, and nothing as a choice where one may choose none."""
        rows: QuerySet = self.choices.queryset  # type: ignore[attr-defined]
        keys = [key for key in value if key.isascii() and key.isdecimal()]
        chosen = rows.filter(pk__in=[int(key) for key in keys if len(key) < 16])
        shown = [(str(row.pk), str(row), True) for row in chosen]
        if not self.allow_multiple_selected:
            shown.insert(0, ("", "---------", not shown))
        return [
            (None, [self.create_option(name, key, text, selected, number)], number)
            for number, (key, text, selected) in enumerate(shown)
        ]

    def use_required_attribute(self, initial: Any) -> bool:
        """Leave the empty choice to the server to refuse: the options are not all here."""
        return False


class RemoteSelect(_Remote):
    """A select of one among thousands of rows."""


class RemoteSelectMultiple(_Remote, forms.SelectMultiple):
    """A select of several among thousands of rows."""


class NamesInput(forms.TextInput):
    """A box for a name: those of a resource are suggested as one types, and what is none of them is taken with a warning (list-parts.js)."""

    template_name = "generic/widgets/names.html"

    def __init__(
        self, path: str, *, known: QuerySet, unknown: Any, attrs: dict[str, Any]
    ) -> None:
        """Take where the names come from (`path` of the resource), its rows that the reader may see, and the warning."""
        self.path, self.known, self.unknown = path, known, unknown
        super().__init__(attrs)

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Say where the suggestions come from, and whether the name in the box is one of them."""
        listed = f"{name}-names"
        asked = {
            "list": listed,
            "data-names": reverse("choices", args=[self.path]),
            "autocomplete": "off",
        }
        context: dict[str, Any] = super().get_context(name, value, attrs | asked)
        context["widget"] |= {
            "names": listed,
            "unknown": self.unknown,
            "is_unknown": bool(value) and not self.known.filter(name=value).exists(),
        }
        return context


@requires(SIGNED_IN)
@require_safe
def choices(request: HttpRequest, path: str) -> JsonResponse:
    """Give {"choices": [{"value", "text"}]} of the rows that match `?q=` and the user may see."""
    resource = next((each for each in all_resources() if each.path == path), None)
    if resource is None or not resource.search:
        raise Http404
    if not request.user.has_perm(resource.permission("view")):
        raise PermissionDenied(resource.permission("view"))
    found = [
        {"value": str(row.pk), "text": str(row)}
        for row in _matching(resource, request)[:MOST]
    ]
    return JsonResponse({"choices": found})


def _matching(resource: Resource, request: HttpRequest) -> QuerySet:
    q = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    # With what a row's name needs.
    rows = resource.list_queryset(resource.rows(request.user))
    if not q:
        return rows
    return rows.filter(
        reduce(or_, (Q(**{f"{name}__icontains": q}) for name in resource.search))
    )

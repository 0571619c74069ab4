"""One box over all objects: what the user may see and the resources say can be searched."""

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Case, IntegerField, Q, Value, When

from adminset.crud.resource import Resource

MOST_PER_KIND = 8


def find_everywhere(
    user: Any, q: str, resources: Iterable[Resource]
) -> list[dict[str, Any]]:
    """Look for `q` in each resource: exact matches, then those that begin so, then those that contain it.

    Returns:
        {"resource", "rows": [(object, address)]} for each resource with a match.
    """
    if not q:
        return []
    groups = []
    for resource in resources:
        if resource.search and user.has_perm(resource.permission("view")):
            rows = _find(resource, user, q)
            if rows:
                found = [(row, resource.url("detail", row.pk)) for row in rows]
                groups.append({"resource": resource, "rows": found})
    return groups


def _find(resource: Resource, user: Any, q: str) -> list[Any]:
    def any_field(lookup: str) -> Q:
        return reduce(or_, (Q(**{f"{name}__{lookup}": q}) for name in resource.search))

    rank = Case(
        When(any_field("iexact"), then=Value(0)),
        When(any_field("istartswith"), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    rows = resource.rows(user).filter(any_field("icontains")).annotate(rank=rank)
    return list(
        rows.order_by("rank", *(resource.model._meta.ordering or ["pk"]))[
            :MOST_PER_KIND
        ]
    )

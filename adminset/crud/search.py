"""One box over all objects: what the user may see and the resources say can be searched."""

import sys
from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery, Value
from django.db.models.functions import Concat

from adminset.crud.resource import Resource
from adminset.crud.search_terms import PART, asked, normal
from adminset.search_models import SearchTerm

MOST_PER_KIND = 8
# So many terms are looked at to find eight objects that the user may see; beyond, the user's own rows are asked.
MOST_LOOKED_AT = 200
# What only contains the text is looked for where a kind has at most so many terms, and the text is so long.
MOST_TERMS_TO_SCAN = 100_000
SHORTEST_INSIDE = 2
COUNT_SECONDS = 300


# A kind of object, and of what was found of it: key -> the term by which.
Found = tuple[Resource, dict[int, str]]


class Hit(NamedTuple):
    """What was found: an object, the address of its page, and the term by which where its name does not tell."""

    row: Any
    address: str
    term: str


def find_everywhere(
    user: Any, q: str, resources: Iterable[Resource]
) -> list[dict[str, Any]]:
    """Look for `q` in each resource: exact matches, then those that begin so; only where there is none, what contains it.

    Returns:
        {"resource", "rows": [Hit]} for each resource with a match.
    """
    forms = asked(q)
    if not forms:
        return []
    seen = [
        each
        for each in resources
        if each.search and user.has_perm(each.permission("view"))
    ]
    begun = _kinds_that_begin_so(forms)
    beginning = [
        (each, _beginning(each, user, forms)) for each in seen if _label(each) in begun
    ]
    return _groups(beginning, user) or _groups(_containing(seen, user, forms), user)


def _groups(found: list[Found], user: Any) -> list[dict[str, Any]]:
    return [
        {"resource": resource, "rows": rows}
        for resource, keys in found
        if (rows := _hits(resource, user, keys))
    ]


def _label(resource: Resource) -> str:
    return resource.model._meta.label_lower


def _kinds_that_begin_so(forms: list[str]) -> set[str]:
    """Name the kinds of which anything begins with one of the forms: one query with a look into the index for each kind."""
    looks = {
        f"hit_{place}": Subquery(
            SearchTerm.objects.filter(_begins_so(form), label=OuterRef("label"))
            # In the order of the index: PostgreSQL would else look through the whole table for a kind without a match.
            .order_by("term")
            .values("pk")[:1]
        )
        for place, form in enumerate(forms)
    }
    kinds = ContentType.objects.annotate(label=Concat("app_label", Value("."), "model"))
    found = kinds.annotate(**looks).order_by().values_list("label", *looks)
    return {label for label, *hits in found if any(hits)}


def _beginning(resource: Resource, user: Any, forms: list[str]) -> dict[int, str]:
    """Map the keys of objects to the terms by which they are found, the best first."""
    terms: list[SearchTerm] = []
    crowded = False
    for form in forms:
        rows = _terms(resource).filter(_begins_so(form)).order_by("term")
        looked_at = list(rows[:MOST_LOOKED_AT])
        crowded = crowded or len(looked_at) == MOST_LOOKED_AT
        terms += looked_at
    found = _visible(resource, user, _ranked(terms, forms))
    if crowded and len(found) < MOST_PER_KIND:
        # Others' objects may hide the user's own: ask from the other side.
        found |= _among_own(resource, user, forms)
    return dict(list(found.items())[:MOST_PER_KIND])


def _containing(resources: list[Resource], user: Any, forms: list[str]) -> list[Found]:
    """Look through the terms of small kinds, all of them in one query."""
    if len(forms[0]) < SHORTEST_INSIDE:
        return []
    small = {_label(each): each for each in resources if _is_small(each)}
    if not small:
        return []
    # A part for each kind: for a list of kinds SQLite would look through the terms of all.
    parts = [
        _terms(each).filter(term__contains=forms[0]).order_by()
        for each in small.values()
    ]
    found: dict[str, list[SearchTerm]] = {}
    for term in parts[0].union(*parts[1:], all=True)[:MOST_LOOKED_AT]:
        found.setdefault(term.label, []).append(term)
    return [
        (small[label], _visible(small[label], user, _ranked(some, forms)))
        for label, some in found.items()
    ]


def _terms(resource: Resource) -> models.QuerySet[SearchTerm]:
    return SearchTerm.objects.filter(label=_label(resource))


def _begins_so(form: str) -> Q:
    """Say as a range what begins so: every database finds a range by its index."""
    end = end_of_prefix(form)
    return Q(term__gte=form, term__lt=end) if end else Q(term__gte=form)


def end_of_prefix(prefix: str) -> str:
    """Give the first text behind all that begin with a prefix, "" where there is none."""
    for place in range(len(prefix) - 1, -1, -1):
        following = ord(prefix[place]) + 1
        if 0xD800 <= following <= 0xDFFF:
            following = 0xE000
        if following <= sys.maxunicode:
            return prefix[:place] + chr(following)
    return ""


def _ranked(terms: Iterable[SearchTerm], forms: list[str]) -> dict[int, str]:
    def rank(each: SearchTerm) -> tuple[Any, ...]:
        return each.weight == PART, each.term not in forms, each.weight, each.term

    found: dict[int, str] = {}
    for each in sorted(terms, key=rank):
        found.setdefault(each.object_id, each.term)
    return found


def _visible(
    resource: Resource, user: Any, candidates: dict[int, str]
) -> dict[int, str]:
    """Keep the candidates that the user may see, in their order."""
    rows = resource.rows(user).filter(pk__in=list(candidates)) if candidates else None
    keys = set() if rows is None else set(rows.order_by().values_list("pk", flat=True))
    kept = [(key, term) for key, term in candidates.items() if key in keys]
    return dict(kept[:MOST_PER_KIND])


def _among_own(resource: Resource, user: Any, forms: list[str]) -> dict[int, str]:
    """Find among the user's own rows: each is looked up by its key, until there are enough."""
    condition = reduce(or_, map(_begins_so, forms))
    mine = _terms(resource).filter(condition, object_id=OuterRef("pk"))
    rows = resource.rows(user).filter(Exists(mine)).order_by()
    keys = list(rows.values_list("pk", flat=True)[:MOST_PER_KIND])
    terms = _terms(resource).filter(condition, object_id__in=keys)
    return _ranked(terms, forms)


def _is_small(resource: Resource) -> bool:
    """Say whether a kind has few enough terms to look through; remembered for some minutes."""
    key = f"search:small:{_label(resource)}"
    known: bool | None = cache.get(key)
    if known is None:
        terms = _terms(resource).order_by()[: MOST_TERMS_TO_SCAN + 1]
        known = terms.count() <= MOST_TERMS_TO_SCAN
        cache.set(key, known, COUNT_SECONDS)
    return known


def _hits(resource: Resource, user: Any, found: dict[int, str]) -> list[Hit]:
    if not found:
        return []
    rows = resource.list_queryset(resource.rows(user).filter(pk__in=list(found)))
    by_key = {row.pk: row for row in rows}
    return [
        Hit(
            by_key[key],
            resource.url("detail", key),
            "" if term in normal(by_key[key]) else term,
        )
        for key, term in found.items()
        if key in by_key
    ]

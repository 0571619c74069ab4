"""A page of a list at the same cost wherever it lies: its keys first, from the nearer end, then only its rows."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db import models
from django.db.models.expressions import Combinable, OrderBy


class KnownPaginator(Paginator):
    """Pages of rows whose number is known already: counting a large list again costs as much as showing a page of it.

    Args:
        rows: those of the page that is asked for.
        total: how many rows all pages have.
    """

    def __init__(self, rows: Any, per_page: int, *, total: int) -> None:
        super().__init__(rows, per_page)
        self.count = total

    def page(self, number: int | str) -> Page:
        """Give the page."""
        return Page(self.object_list, self.validate_number(number), self)


def keys_of_page(
    rows: models.QuerySet,
    ordered: models.QuerySet,
    *,
    start: int,
    size: int,
    total: int,
) -> list[Any]:
    """Give the keys of a page, in its order.

    Only keys are read up to the page, which an index alone can answer; a page behind the middle is counted from the end.

    Args:
        rows: the matching rows, plain.
        ordered: the same with all that a row of the list shows, in the order of the list.
        start, size: the page. total: number of matching rows.
    """
    keys = _keys(rows, ordered)
    if start <= total // 2:
        return list(keys[start : start + size])
    return list(keys.reverse()[max(total - start - size, 0) : total - start])[::-1]


def first_keys(rows: models.QuerySet, ordered: models.QuerySet, most: int) -> list[Any]:
    """Give the keys of the first rows, in the order of the list: fewer than `most` are all there are, and need no counting."""
    return list(_keys(rows, ordered)[:most])


def _keys(rows: models.QuerySet, ordered: models.QuerySet) -> models.QuerySet:
    terms = _terms(ordered)
    plain = rows if _is_plain(terms, ordered) else ordered
    return plain.order_by(*terms).values_list("pk", flat=True)


def _terms(ordered: models.QuerySet) -> list[Any]:
    """Give the terms of an order in which no two rows are equal: else pages would overlap."""
    terms: list[Any] = list(ordered.query.order_by or ordered.model._meta.ordering)
    last = str(terms[-1]) if terms else ""
    key = ordered.model._meta.pk.name
    if last.removeprefix("-") in {"pk", key}:
        return terms
    # Both ways alike: an index on the field and the key can then be walked from either end.
    return [*terms, "-pk" if last.startswith("-") else "pk"]


def _is_plain(terms: list[Any], ordered: models.QuerySet) -> bool:
    """Say whether the order needs nothing that the list counts or adds."""
    if any(isinstance(term, Combinable | OrderBy) for term in terms):
        return False
    names = {str(term).removeprefix("-").partition("__")[0] for term in terms}
    return names.isdisjoint(ordered.query.annotations)


def in_order(rows: models.QuerySet, keys: list[Any]) -> list[Any]:
    """Fetch the rows of some keys, in the order of the keys."""
    found = {row.pk: row for row in rows.filter(pk__in=keys).order_by()}
    return [found[key] for key in keys if key in found]

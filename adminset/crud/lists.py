"""A list as asked for by an address: which rows, which columns, which order, which page."""

from functools import cached_property, reduce
from operator import or_
from typing import Any

import django_filters
from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from adminset.crud.resource import Resource
from adminset.crud.tables import ResourceTable


class CountedPaginator(Paginator):
    """Pages of rows whose number is known already: counting a large list again costs as much as showing a page of it."""

    def __init__(self, rows: Any, per_page: int, *, total: int, **options: Any) -> None:
        super().__init__(rows, per_page, **options)
        self.count = total


class Listing:
    """The rows of a resource as the query of a request narrows them."""

    def __init__(self, request: HttpRequest, resource: Resource) -> None:
        self.request = request
        self.resource = resource
        self.q = request.GET.get("q", "").replace("\x00", "").strip()[:200]
        # Given the request, the table would page (and count) all rows at once.
        self.table: ResourceTable = resource.table(
            resource.for_list(self.rows, request.user), empty_text=""
        )
        self.table.request = request
        self.shown = self.table.show_only(request.GET.getlist("columns"))
        self.table.resource = resource
        self.table.can = resource.can(request.user)

    @cached_property
    def filterset(self) -> django_filters.FilterSet | None:
        """The filter form, bound to the query."""
        if self.resource.filterset is None:
            return None
        rows = self.resource.rows(self.request.user)
        return self.resource.filterset(
            self.request.GET, queryset=rows, request=self.request
        )

    @cached_property
    def rows(self) -> QuerySet:
        """The matching rows that the user may see. A filter value that makes no sense matches nothing."""
        rows = (
            self.filterset.qs
            if self.filterset
            else self.resource.rows(self.request.user)
        )
        if self.q and self.resource.search:
            rows = rows.filter(
                reduce(
                    or_,
                    (Q(**{f"{f}__icontains": self.q}) for f in self.resource.search),
                )
            )
        return rows

    def left_out(self) -> list[str]:
        """Name the columns that the list does not show, and those that are no data."""
        return [
            name
            for name, _column in self.table.columns.items()
            if name not in self.shown
        ]

    @property
    def per_page(self) -> int:
        """Rows a page: one of the offered sizes."""
        asked = self.request.GET.get("per_page", "")
        sizes = settings.LIST_PAGE_SIZES
        return next((size for size in sizes if str(size) == asked), sizes[1])

    @property
    def page(self) -> int:
        """Number of the page, within what there is."""
        asked = self.request.GET.get("page", "1")
        last = max(1, -(-self.total // self.per_page))
        known = asked.isdecimal() and len(asked) < 16
        return min(max(int(asked), 1), last) if known else 1

    @cached_property
    def total(self) -> int:
        """Number of matching rows."""
        return self.rows.count()

    def context(self) -> dict[str, Any]:
        """Give what generic/list.html draws."""
        resource = self.resource
        return {
            "resource": resource,
            "page_title": resource.verbose_name_plural,
            "table": self.table,
            "filterset": self.filterset,
            "q": self.q,
            "columns": [
                {"name": name, "title": title, "shown": name in self.shown}
                for name, title in self.table.choosable()
            ],
            "total": self.total,
            "page": self.page,
            "per_page": self.per_page,
            "page_sizes": settings.LIST_PAGE_SIZES,
            "can": self.table.can,
            "is_filtered": bool(
                self.q or (self.filterset and self.filterset.form.changed_data)
            ),
        }

"""A list as asked for by an address: which rows, which columns, which order, which page."""

from functools import cached_property, reduce
from operator import or_
from types import SimpleNamespace
from typing import Any

import django_filters
from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django_tables2 import RequestConfig
from django_tables2.rows import BoundRows

from adminset.crud import lookups, saved_views
from adminset.crud.paging import (
    KnownPaginator,
    first_keys,
    in_order,
    keys_of_page,
)
from adminset.crud.resource import Resource
from adminset.crud.tables import ResourceTable
from adminset.errors import DomainError

# A search with fewer hits is counted by its keys.
FEW = 2000


class Matching:
    """The rows of a resource that a query asks for and a user may see; with what is wrong in the query.

    A value that makes no sense matches nothing.
    """

    def __init__(self, resource: Resource, params: QueryDict, user: Any) -> None:
        self.resource, self.params, self.user = resource, params, user
        self.q = params.get("q", "").replace("\x00", "").strip()[:200]
        self.conditions = lookups.conditions(resource, params, user)
        self.problems = self._slips() | lookups.problems(resource, params, user)

    def _slips(self) -> dict[str, str]:
        """Say what the filter form does not understand: django-filter itself would leave such a filter out."""
        if self.filterset is None or self.filterset.is_valid():
            return {}
        form = self.filterset.form
        return {
            name: f"{form[name].label}: {' '.join(map(str, texts))}"
            for name, texts in form.errors.items()
        }

    @cached_property
    def filterset(self) -> django_filters.FilterSet | None:
        """The filter form, bound to the query."""
        if self.resource.filterset is None:
            return None
        # What a filter knows of the request is who asks.
        asker: Any = SimpleNamespace(user=self.user)
        rows = self.resource.rows(self.user)
        return self.resource.filterset(self.params, queryset=rows, request=asker)

    @cached_property
    def rows(self) -> QuerySet:
        """The matching rows."""
        rows = self.filterset.qs if self.filterset else self.resource.rows(self.user)
        if self.problems:
            return rows.none()
        if self.q and self.resource.search:
            fields = self.resource.search
            rows = rows.filter(
                reduce(or_, (Q(**{f"{f}__icontains": self.q}) for f in fields))
            )
        return lookups.narrowed(rows, self.conditions, self.user)

    @cached_property
    def total(self) -> int:
        """Number of matching rows."""
        return self.rows.count()

    def refuse_problems(self) -> None:
        """Let nothing be done with a query that is not understood.

        Raises:
            DomainError: a filter of the query is wrong; says which.
        """
        lookups.refuse(self.problems)


class Listing(Matching):
    """The list page of a resource for one request."""

    def __init__(self, request: HttpRequest, resource: Resource) -> None:
        super().__init__(resource, request.GET, request.user)
        self.request = request
        # Given the request, the table would page (and count) all rows at once.
        self.table: ResourceTable = resource.table(
            resource.for_list(self.rows, request.user), empty_text=""
        )
        self.table.request = request
        self.shown = self.table.show_only(request.GET.getlist("columns"))
        self.table.resource = resource
        self.moves = False
        self.table.can = resource.can(request.user)

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

    def turn_to_page(self) -> None:
        """Sort the table as asked, and give it the rows of the page."""
        RequestConfig(self.request, paginate=False).configure(self.table)
        keys = self._keys_of_page()
        every = self.resource.model._default_manager.all()
        found = in_order(self.resource.for_list(every, self.user), keys)
        pages = KnownPaginator(
            BoundRows(found, self.table), self.per_page, total=self.total
        )
        self.table.paginator, self.table.page = pages, pages.page(self.page)
        self.moves = self.resource.moves(found)

    def _keys_of_page(self) -> list[Any]:
        rows, ordered = self.rows, self.table.data.data
        if self.q:
            # A search reads the whole table: once for count and page, where it finds little.
            few = first_keys(rows, ordered, FEW)
            if len(few) < FEW:
                self.total = len(few)
                start = (self.page - 1) * self.per_page
                return few[start : start + self.per_page]
        return keys_of_page(
            rows,
            ordered,
            start=(self.page - 1) * self.per_page,
            size=self.per_page,
            total=self.total,
        )

    def _columns(self) -> list[dict[str, Any]]:
        """List the columns for the chooser: those that show, in their order, before the others."""
        titles = dict(self.table.choosable())
        order = [*self.shown, *(name for name in titles if name not in self.shown)]
        return [
            {"name": name, "title": titles[name], "shown": name in self.shown}
            for name in order
            if name in titles
        ]

    def _chips(self) -> list[dict[str, str]]:
        """Say each filter of a field, with the address of the list without it."""
        chips = []
        for each in self.conditions:
            rest = self.params.copy()
            for name in ("page", each.param):
                rest.pop(name, None)
            # Without a query the list would open by the default view.
            words, url = each.words(self.user), f"?{rest.urlencode() or 'view=0'}"
            chips.append({"label": each.field.label, "value": words, "url": url})
        return chips

    @cached_property
    def _kept_query(self) -> str:
        """What a view of this list would keep; "" where that is too long: the list is shown all the same."""
        try:
            return saved_views.kept_query(self.params)
        except DomainError:
            return ""

    def _view(self) -> dict[str, Any]:
        """Give what the menu of saved views draws: all of them, the open one, and whether the list has left it."""
        views = saved_views.views_of(self.user, self.resource)
        chosen = self.params.get("view", "")
        active = next((each for each in views if str(each.pk) == chosen), None)
        query = self._kept_query
        changed = active is not None and active.query != query
        return {
            "views": [(v, saved_views.address_of(self.resource, v)) for v in views],
            "active_view": active,
            "view_query": query,
            "view_may_change": changed and saved_views.may_change(self.user, active),  # type: ignore[arg-type]
        }

    def _links(self) -> list[dict[str, Any]]:
        """List the ways on from what is filtered."""
        query = self._kept_query
        return [
            {"title": each.title, "icon": each.icon, "url": each.url(query)}
            for each in self.resource.list_links
            if self.user.has_perm(each.permission)
        ]

    def _bulk_actions(self) -> list[dict[str, Any]]:
        """List the further buttons for chosen rows."""
        return [
            {"title": each.title, "icon": each.icon, "url": reverse(each.url_name)}
            for each in self.resource.bulk_actions
            if self.user.has_perm(each.permission)
        ]

    def context(self) -> dict[str, Any]:
        """Give what generic/list.html draws."""
        resource = self.resource
        return {
            "resource": resource,
            "page_title": resource.verbose_name_plural,
            "table": self.table,
            "filterset": self.filterset,
            "lookup_chips": self._chips(),
            "problems": self.problems.values(),
            "q": self.q,
            "columns": self._columns(),
            "total": self.total,
            "page": self.page,
            "per_page": self.per_page,
            "page_sizes": settings.LIST_PAGE_SIZES,
            "can": self.table.can,
            "moves": self.moves,
            "list_links": self._links(),
            "bulk_actions": self._bulk_actions(),
            **self._view(),
            "is_filtered": bool(
                self.q
                or self.conditions
                or self.problems
                or (self.filterset and self.filterset.form.changed_data)
            ),
        }

"""Questions to the audit trail that stay quick at ten million lines: a page by its place and not by its number, counts with an end."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from django.core.cache import cache
from django.db import connection
from django.db.models import Q, QuerySet

from adminset.models import AuditEntry

ROWS_A_PAGE = 50
# Beyond this many, lines are "more than".
COUNTED = 10_000
# A text is looked for in so many lines at a time: no index finds a word in the middle.
LOOKED_THROUGH = 100_000
EXPORT_BATCH = 500
VERBS_SECONDS = 60

Rows = QuerySet[AuditEntry]
Narrow = Callable[[Rows], Rows]
# (time, id): the order of the trail.
Place = tuple[datetime, int]


@dataclass
class TrailPage:
    """One page of the trail, newest first.

    Attributes:
        rows: the lines as the filters narrow them that an index serves.
        verbs: of which actions, when there are several; empty: of all.
        text: narrows to lines that hold a word; None where none is looked for.
        before, after: ids that the page stands beyond (older, newer).
        entries: the lines of the page.
        older, newer: ids to go on from, None at an end.
        seen_until: how far back a text was looked for; None: to the very end.
        total: number of lines, COUNTED + 1 for more than that.
    """

    rows: Rows
    verbs: Sequence[str] = ()
    text: Narrow | None = None
    before: int | None = None
    after: int | None = None
    entries: list[AuditEntry] = field(default_factory=list, init=False)
    older: int | None = field(default=None, init=False)
    newer: int | None = field(default=None, init=False)
    seen_until: datetime | None = field(default=None, init=False)
    total: int = field(default=0, init=False)
    _floor: Place | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        upper, lower = self._place(self.before), self._place(self.after)
        rows = self.rows
        if self.text:
            rows = self._looked_through(rows, upper)
        if lower and not upper and not self.text:
            found = self._first(rows.filter(_newer(lower)), newest=False)
            # Less than a page above: that is the first page.
            if len(found) > ROWS_A_PAGE:
                self._turn(found[:ROWS_A_PAGE][::-1])
                upper = lower
        if not self.entries:
            self._set(self._first(rows.filter(_older(upper)) if upper else rows), upper)
        self.total = self._counted(rows)

    def _place(self, pk: int | None) -> Place | None:
        if pk is None:
            return None
        return self.rows.model.objects.filter(pk=pk).values_list("at", "pk").first()

    def _looked_through(self, rows: Rows, upper: Place | None) -> Rows:
        """Narrow to the text, within as many lines as one look takes."""
        within = self.rows.filter(_older(upper)) if upper else self.rows
        places = within.values_list("at", "pk")
        self._floor = places[LOOKED_THROUGH - 1 : LOOKED_THROUGH].first()
        if self._floor:
            self.seen_until = self._floor[0]
            rows = rows.filter(at__gte=self._floor[0])
        if self.verbs:
            rows, self.verbs = rows.filter(verb__in=self.verbs), ()
        return self.text(rows) if self.text else rows

    def _first(self, rows: Rows, *, newest: bool = True) -> list[AuditEntry]:
        """Give the first lines, one more than a page.

        Of several actions each gives its own first ones: an index is in the order of time for one action only.
        """
        order = ("-at", "-pk") if newest else ("at", "pk")
        rows, most = rows.order_by(*order), ROWS_A_PAGE + 1
        if len(self.verbs) < 2:
            return list(
                rows.filter(verb__in=self.verbs)[:most] if self.verbs else rows[:most]
            )
        each = (
            rows.filter(verb=verb).values_list("at", "pk")[:most] for verb in self.verbs
        )
        pick = heapq.nlargest if newest else heapq.nsmallest
        keys = [pk for _at, pk in pick(most, chain.from_iterable(each))]
        return list(rows.filter(pk__in=keys))

    def _set(self, found: list[AuditEntry], upper: Place | None) -> None:
        self.entries = found[:ROWS_A_PAGE]
        if len(found) > ROWS_A_PAGE:
            self.older = self.entries[-1].pk
        elif self._floor:
            self.older = self._floor[1]
        if upper and self.entries and not self.text:
            self.newer = self.entries[0].pk

    def _turn(self, entries: list[AuditEntry]) -> None:
        self.entries = entries
        self.older, self.newer = entries[-1].pk, entries[0].pk

    def _counted(self, rows: Rows) -> int:
        if self.verbs:
            rows = rows.filter(verb__in=self.verbs)
        return rows.order_by()[: COUNTED + 1].count()


def _older(place: Place) -> Q:
    # The first condition is for the index, the second for lines of the same moment.
    return Q(at__lte=place[0]) & (Q(at__lt=place[0]) | Q(pk__lt=place[1]))


def _newer(place: Place) -> Q:
    return Q(at__gte=place[0]) & (Q(at__gt=place[0]) | Q(pk__gt=place[1]))


def all_lines(
    rows: Rows, verbs: Sequence[str], text: Narrow | None
) -> Iterator[list[AuditEntry]]:
    """Walk all matching lines, newest first, a batch at a time."""
    if verbs:
        rows = rows.filter(verb__in=verbs)
    rows = text(rows) if text else rows
    rows = rows.order_by("-at", "-pk")
    batch = list(rows[:EXPORT_BATCH])
    while batch:
        yield batch
        last = batch[-1]
        batch = list(rows.filter(_older((last.at, last.pk)))[:EXPORT_BATCH])


def known_verbs() -> list[str]:
    """List the actions to choose from; anew each minute."""
    kept: list[str] | None = cache.get("audit:verbs")
    if kept is None:
        kept = recorded_verbs()
        cache.set("audit:verbs", kept, VERBS_SECONDS)
    return kept


def recorded_verbs() -> list[str]:
    """List the actions that stand in the trail, each found by one step in the index."""
    table = connection.ops.quote_name(AuditEntry._meta.db_table)
    steps = f"""
        WITH RECURSIVE steps(verb) AS (
            SELECT MIN(verb) FROM {table}
            UNION ALL
            SELECT (SELECT MIN(verb) FROM {table} WHERE verb > steps.verb)
            FROM steps WHERE steps.verb IS NOT NULL
        ) SELECT verb FROM steps WHERE verb IS NOT NULL
    """  # noqa: S608 - our own table's name
    with connection.cursor() as cursor:
        cursor.execute(steps)
        return sorted(row[0] for row in cursor.fetchall())


def verbs_of(asked: str) -> list[str]:
    """Give the actions that a filter asks for: one, or all of a group ("host.")."""
    if not asked.endswith("."):
        return [asked] if asked else []
    found = [verb for verb in recorded_verbs() if verb.startswith(asked)]
    return found or [asked]


def place_id(raw: str | None) -> int | None:
    """Read the id of a line from the address; None for what is none."""
    text = raw or ""
    known = text.isascii() and text.isdecimal() and len(text) < 19
    return int(text) if known else None

"""Approvals that rooms above keep themselves (of deploys): what they give to the inbox, which lists them among its own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

# Rows of a page, and how far back pages go.
PAGE, MOST_PAGES = 50, 200


@dataclass(frozen=True)
class Row:
    """One approval as the inbox draws it.

    Attributes:
        state, status: colour of the badge, and its words. rule: why an approval is needed, in a few words.
    """

    title: str
    url: str
    state: str
    status: str
    asked_by: str
    rule: str
    asked_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class Source:
    """A kind of thing that can be approved. Each queryset is narrowed to what the user may know.

    Attributes:
        shelves: name of a shelf ("waiting", "mine", "decided") -> its rows for a user, with `at`, by which the shelf is sorted.
        rows: draws rows of these keys.
    """

    shelves: Mapping[str, Callable[[Any], QuerySet]]
    rows: Callable[[list[int]], Mapping[int, Row]]


# Kind -> who knows of it; rooms above add theirs.
SOURCES: dict[str, Source] = {}


@dataclass(frozen=True)
class Sheet:
    """A page of a shelf: the keys of its rows, (kind, number, at), and whether there are more on the next one."""

    keys: list[tuple[str, int, datetime]]
    number: int
    has_next: bool


def shelf(name: str, user: Any, own: QuerySet) -> dict[str, QuerySet]:
    """Give what stands on a shelf, by kind.

    Args:
        own: the inbox's own rows of the shelf, with `at`; their kind is "".
    """
    others = {kind: source.shelves[name](user) for kind, source in SOURCES.items()}
    return {"": own, **others}


def sheet(rows: Mapping[str, QuerySet], order: str, number: int) -> Sheet:
    """Give a page of a shelf, all kinds in one order; of each no more rows are asked for than can stand there, and none are counted.

    Args:
        order: "at" or "-at". number: of the page, from 1 on, MOST_PAGES at most.
    """
    most = min(max(number, 1), MOST_PAGES) * PAGE
    found: list[tuple[str, int, datetime]] = []
    for kind, listed in rows.items():
        ordered = listed.order_by(order, order.replace("at", "pk"))
        keys = ordered.values_list("pk", "at")[: most + 1]
        found += [(kind, pk, at) for pk, at in keys]
    found.sort(key=lambda key: (key[2], key[1]), reverse=order == "-at")
    has_next = len(found) > most and most < MOST_PAGES * PAGE
    return Sheet(found[most - PAGE : most], most // PAGE, has_next)


def drawn(
    keys: Iterable[tuple[str, int, Any]], own: Callable[[list[int]], Mapping[int, Row]]
) -> list[Row]:
    """Draw the rows of some keys, in their order.

    Args:
        own: draws the inbox's own rows.
    """
    wanted: dict[str, list[int]] = {}
    listed = list(keys)
    for kind, pk, _at in listed:
        wanted.setdefault(kind, []).append(pk)
    found = {
        kind: (SOURCES[kind].rows if kind else own)(keys)
        for kind, keys in wanted.items()
    }
    return [found[kind][pk] for kind, pk, _at in listed if pk in found[kind]]

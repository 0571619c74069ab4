"""New names for many rows: find and replace in plain text, with a counter; no pattern that could run away."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext as _

from adminset.errors import DomainError

# {n}, or {n:3} for 001: our own pattern over our own words, of bounded length.
COUNTER = re.compile(r"\{n(?::([1-9]))?\}")
LONGEST = 200
HIGHEST = 10**9


@dataclass(frozen=True)
class Renaming:
    """What becomes of a name.

    Attributes:
        find: plain text; empty: the whole name.
        replace: what stands in its place; {n} counts the renamed rows, {n:3} with leading noughts.
        start: the first number.
    """

    find: str
    replace: str
    start: int = 1

    def new(self, name: str, number: int) -> str:
        """Give the new name."""
        with_number = COUNTER.sub(
            lambda found: str(number).zfill(int(found[1] or 1)), self.replace
        )
        return name.replace(self.find, with_number) if self.find else with_number

    def changes(self, rows: models.QuerySet, field: str) -> Iterator[tuple[Any, str]]:
        """Give (key, new name) of the rows whose name changes, in the order of the names."""
        number = self.start
        for key, name in self._names(rows, field):
            if self.find in name:
                new = self.new(name, number)
                number += 1
                if new != name:
                    yield key, new

    def _names(self, rows: models.QuerySet, field: str) -> models.QuerySet:
        return rows.order_by(field, "pk").values_list("pk", field)


def of_form(sent: QueryDict) -> Renaming:
    """Read what a form asks for.

    Raises:
        DomainError: nothing to do, or texts that are too long.
    """
    find, replace = sent.get("find", ""), sent.get("replace", "").strip()
    start = sent.get("start", "") or "1"
    if not find and not replace:
        raise DomainError(
            _("Say what to find, or what the new names are."), fields={"find": ""}
        )
    if len(find) > LONGEST or len(replace) > LONGEST or "\x00" in find + replace:
        raise DomainError(_("Use at most 200 characters."), fields={"find": ""})
    if not (start.isascii() and start.isdecimal() and int(start[:12]) <= HIGHEST):
        raise DomainError(_("The first number is no number."), fields={"start": ""})
    return Renaming(find, replace, int(start))


@dataclass(frozen=True)
class Preview:
    """What a renaming would do, before it is done.

    Attributes:
        shown: (old, new, what is wrong or "") of the first ones. changing, staying: how many rows.
        clashes: how many new names are given twice, or belong to another row already.
    """

    shown: list[tuple[str, str, str]]
    changing: int
    staying: int
    clashes: int


def preview(
    renaming: Renaming, rows: models.QuerySet, every: models.QuerySet, field: str
) -> Preview:
    """Work out what a renaming would do.

    Args:
        every: the rows that the reader may see: names among them are told to be taken.
    """
    new = dict(renaming.changes(rows, field))
    old = dict(rows.order_by().values_list("pk", field))
    times = Counter(new.values())
    others = every.exclude(pk__in=rows.order_by().values("pk")).order_by()
    taken = _taken(others, field, list(times))
    faults = {
        name: _("given twice") if times[name] > 1 else _("taken already")
        for name in times
        if times[name] > 1 or name in taken
    }
    first = list(new.items())[:50]
    return Preview(
        [(old[key], name, faults.get(name, "")) for key, name in first],
        len(new),
        len(old) - len(new),
        sum(times[name] for name in faults),
    )


def _taken(rows: models.QuerySet, field: str, names: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(names), 500):
        some = rows.filter(**{f"{field}__in": names[start : start + 500]})
        found.update(some.values_list(field, flat=True))
    return found

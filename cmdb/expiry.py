"""What expires: everything with a day on which it ends, by one declaration for each kind, and only what the reader may see."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import CharField, Count, F, Model, Q, QuerySet, Value
from django.utils.translation import gettext_lazy as _

WINDOWS = {
    "overdue": _("Overdue"),
    "30": _("30 days"),
    "60": _("60 days"),
    "90": _("90 days"),
}
LONGEST = "90"


class Expiry(models.Model):
    """No table: carries the permission to look at what expires, so that roles can grant it."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [("view_expiry", "Can view what expires")]
        verbose_name = _("what expires")
        verbose_name_plural = _("what expires")

    def __str__(self) -> str:
        return "expiry"


@dataclass(frozen=True)
class Source:
    """One kind of end.

    Attributes:
        key: its name in addresses.
        label: what ends.
        model: whose rows ("cmdb.contract"); the rows that a user may see are those that he or she may see there.
        day: name of the date field.
        owner: name of the field that says who answers for it; "" where there is none.
        along: related objects that a row's own name needs.
        until: name of a date field after which the end of `day` no longer matters.
    """

    key: str
    label: Any
    model: str
    day: str
    owner: str = "owner"
    along: tuple[str, ...] = ()
    until: str = ""

    @property
    def rows(self) -> Any:
        """Every row of the model, for `visible_to`."""
        return apps.get_model(self.model)._default_manager

    @property
    def permission(self) -> str:
        """What one must hold to see such ends."""
        room, _dot, name = self.model.partition(".")
        return f"{room}.view_{name}"


SOURCES = (
    Source("warranty", _("Warranty of a host"), "cmdb.host", "warranty_until"),
    Source("contract", _("End of a contract"), "cmdb.contract", "ends_on"),
    Source(
        "notice",
        _("Last day of notice of a contract"),
        "cmdb.contract",
        "notice_by",
        until="ends_on",
    ),
    Source("licence", _("Licence"), "cmdb.licence", "expires_on", along=("software",)),
    Source("support", _("End of support"), "cmdb.software", "end_of_support_on"),
    Source("domain", _("Domain name"), "cmdb.domainname", "expires_on"),
    Source("certificate", _("Certificate"), "cmdb.certificate", "expires_on"),
    Source("line", _("Bandwidth line"), "cmdb.bandwidthline", "ends_on"),
)
BY_KEY = {source.key: source for source in SOURCES}


@dataclass(frozen=True)
class Asked:
    """Which ends are wanted.

    Attributes:
        today: the reader's day.
        first, last: days between which they lie, both included; None: no bound.
        kinds: keys of sources; empty: all.
        owner: a part of the owner's name, without case; "": any.
    """

    today: date
    first: date | None = None
    last: date | None = None
    kinds: frozenset[str] = field(default_factory=frozenset)
    owner: str = ""

    def within(self, window: str) -> "Asked":
        """Narrow to a window: what is over, or what ends within so many days from today."""
        if window == "overdue":
            return replace(self, first=None, last=self.today - timedelta(days=1))
        days = timedelta(days=int(window))
        return replace(self, first=self.today, last=self.today + days)


@dataclass(frozen=True)
class End:
    """Something that ends on a day."""

    source: Source
    day: date
    row: Model

    @property
    def owner(self) -> str:
        """Who answers for it."""
        return getattr(self.row, self.source.owner, "") if self.source.owner else ""


def sources_of(user: Any) -> list[Source]:
    """List the kinds of end that a user may see anywhere."""
    return [source for source in SOURCES if user.has_perm(source.permission)]


def ends(user: Any, asked: Asked, start: int = 0, most: int = 50) -> list[End]:
    """Give some of the ends that a user may see, the soonest first; of those that are over alone, the newest first."""
    found = _together(_chosen(user, asked), user, asked)
    if found is None:
        return []
    over = asked.last is not None and asked.last < asked.today
    day = "-end_day" if over else "end_day"
    found = found.order_by(day, "end_kind", "end_pk")
    triples = list(found[start : start + most])
    return _with_rows(triples)


def count(user: Any, asked: Asked) -> int:
    """Count the ends that a user may see."""
    found = _together(_chosen(user, asked), user, asked)
    return 0 if found is None else found.count()


def figures(user: Any, asked: Asked) -> dict[str, int]:
    """Count the ends of each window ("overdue", "30" ...)."""
    counted: Counter[str] = Counter()
    last = asked.within(LONGEST)
    for source in _chosen(user, asked):
        counts = {
            f"in_{window}": Count("pk", filter=_between(source, asked.within(window)))
            for window in WINDOWS
        }
        rows = _narrowed(source, user, asked).order_by()
        counted.update(
            rows.filter(_between(source, replace(last, first=None))).aggregate(**counts)
        )
    return {window: counted[f"in_{window}"] for window in WINDOWS}


def by_day(user: Any, asked: Asked) -> dict[date, Counter[str]]:
    """Count the ends of each day by kind."""
    days: dict[date, Counter[str]] = {}
    for source in _chosen(user, asked):
        rows = _narrowed(source, user, asked).filter(_between(source, asked))
        for day, number in (
            rows.order_by().values_list(source.day).annotate(Count("pk"))
        ):
            days.setdefault(day, Counter())[source.key] = number
    return days


def on_days(user: Any, asked: Asked, days: Iterable[date]) -> dict[date, list[End]]:
    """Give all ends of some days, which should have few."""
    wanted = list(days)
    found: dict[date, list[End]] = {}
    for source in _chosen(user, asked) if wanted else ():
        rows = _narrowed(source, user, asked).filter(**{f"{source.day}__in": wanted})
        for row in rows.select_related(*source.along).order_by("pk"):
            day = getattr(row, source.day)
            found.setdefault(day, []).append(End(source, day, row))
    return found


def _chosen(user: Any, asked: Asked) -> list[Source]:
    return [
        source
        for source in sources_of(user)
        if (not asked.kinds or source.key in asked.kinds)
        and (source.owner or not asked.owner)
    ]


def _narrowed(source: Source, user: Any, asked: Asked) -> QuerySet:
    rows: QuerySet = source.rows.visible_to(user)
    if source.until:
        rows = rows.filter(**{f"{source.until}__gte": asked.today})
    if asked.owner:
        rows = rows.filter(**{f"{source.owner}__icontains": asked.owner})
    return rows


def _between(source: Source, asked: Asked) -> Q:
    bounds: Mapping[str, date | None] = {"gte": asked.first, "lte": asked.last}
    known = {f"{source.day}__{k}": day for k, day in bounds.items() if day is not None}
    return Q(**known) if known else Q(**{f"{source.day}__isnull": False})


def _together(sources: list[Source], user: Any, asked: Asked) -> QuerySet | None:
    """Put the ends of several tables into one query of (kind, day, pk), so that the database sorts and pages them."""
    parts = [
        _narrowed(source, user, asked)
        .filter(_between(source, asked))
        .order_by()
        .annotate(
            end_kind=Value(source.key, output_field=CharField()),
            end_day=F(source.day),
            end_pk=F("pk"),
        )
        .values_list("end_kind", "end_day", "end_pk")
        for source in sources
    ]
    if not parts:
        return None
    return parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]


def _with_rows(triples: list[tuple[str, date, int]]) -> list[End]:
    keys: dict[str, list[int]] = {}
    for kind, _day, pk in triples:
        keys.setdefault(kind, []).append(pk)
    rows = {
        kind: BY_KEY[kind].rows.select_related(*BY_KEY[kind].along).in_bulk(pks)
        for kind, pks in keys.items()
    }
    return [
        End(BY_KEY[kind], day, rows[kind][pk])
        for kind, day, pk in triples
        if pk in rows[kind]
    ]

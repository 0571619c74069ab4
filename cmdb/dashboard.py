"""The hosts counted by where they stand, what they are and how they are: for the pictures of the CMDB's dashboard."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, CharField, Count, QuerySet, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from adminset.querysets import scope_of
from cmdb.models import AssetStatus, Host, Idc, ProductLine
from cmdb.quality import SOON

# A picture with more bars says less; the rest is one bar.
MOST_BARS = 15
WARRANTY = {
    "over": _lazy("over"),
    "soon": _lazy("ends within 90 days"),
    "later": _lazy("runs on"),
    "unknown": _lazy("not known"),
}


@dataclass(frozen=True)
class Part:
    """One bar: how many hosts, and the address of the list of just these, "" where there is no such list."""

    name: str
    number: int
    url: str


@dataclass(frozen=True)
class Way:
    """One way to count.

    Attributes:
        field: what hosts are grouped by. choices: their labels. query: (group) -> query of the host list.
        model: of related objects: without the right to see them nobody is told their names.
    """

    key: str
    title: Any
    field: str
    query: Callable[[Any], dict[str, str]]
    model: Any = None
    choices: Any = None


def _asked(name: str) -> Callable[[Any], dict[str, str]]:
    """Make the query that asks for one value of a field, or for none."""

    def query(group: Any) -> dict[str, str]:
        if group in (None, ""):
            return {f"f.{name}.empty": "1"}
        return {f"f.{name}.is": str(group)}

    return query


def _warranty_query(group: Any) -> dict[str, str]:
    last = (timezone.localdate() + SOON).isoformat()
    return {
        "over": {"quality": "warranty_over"},
        "soon": {"quality": "warranty_soon"},
        "later": {"f.warranty_until.gt": last},
        "unknown": {"f.warranty_until.empty": "1"},
    }[group]


WAYS = {
    each.key: each
    for each in (
        Way("idc", _lazy("IDC"), "idc", _asked("idc"), model=Idc),
        Way("kind", _lazy("Kind"), "kind", _asked("kind"), choices=Host.Kind),
        Way("status", _lazy("Status"), "status", _asked("status"), model=AssetStatus),
        Way("os", _lazy("Operating system"), "os_name", _asked("os_name")),
        Way(
            "line",
            _lazy("Product line"),
            "product_line",
            _asked("product_line"),
            model=ProductLine,
        ),
        Way("warranty", _lazy("Warranty"), "warranty", _warranty_query),
    )
}


def ways_for(user: Any) -> list[Way]:
    """List the ways to count that the user may see: names of related objects need their own permission."""
    return [
        way
        for way in WAYS.values()
        if way.model is None or scope_of(user, _permission(way.model))
    ]


def _permission(model: Any) -> str:
    return f"cmdb.view_{model._meta.model_name}"


def _counted(way: Way, user: Any) -> Iterable[tuple[Any, int]]:
    rows: QuerySet = Host.objects.visible_to(user).order_by()
    if way.key == "warranty":
        rows = rows.annotate(warranty=_warranty_state())
    found = rows.values_list(way.field).annotate(n=Count("pk"))
    return sorted(found, key=lambda each: (-each[1], str(each[0])))


def _warranty_state() -> Case:
    today = timezone.localdate()
    return Case(
        When(warranty_until=None, then=Value("unknown")),
        When(warranty_until__lt=today, then=Value("over")),
        When(warranty_until__lte=today + SOON, then=Value("soon")),
        default=Value("later"),
        output_field=CharField(),
    )


def parts(way: Way, user: Any) -> list[Part]:
    """Count one way, the most first; two queries at most, however many hosts there are."""
    found = list(_counted(way, user))
    names = _names(way, [group for group, _number in found], user)
    told: list[Part] = []
    rest = 0
    url = reverse("cmdb:host_list")
    for group, number in found:
        name = _("none") if group in (None, "") else names.get(group)
        if name is None or len(told) >= MOST_BARS:
            rest += number
        else:
            told.append(Part(name, number, f"{url}?{urlencode(way.query(group))}"))
    return [*told, Part(_("others"), rest, "")] if rest else told


def _names(way: Way, groups: list[Any], user: Any) -> dict[Any, str]:
    """Map groups to names; objects that the user may not see have none."""
    if way.model is not None:
        rows = way.model.objects.visible_to(user).filter(pk__in=groups)
        return dict(rows.values_list("pk", "name"))
    labels: dict[str, Any] = WARRANTY if way.key == "warranty" else {}
    if way.choices is not None:
        labels = dict(way.choices.choices)
    return {each: str(labels.get(each, each)) for each in groups if each is not None}


def bars(found: list[Part]) -> dict[str, Any]:
    """Give {unit, bars: [{name, value, url}]}, as static/js/bars.js draws it."""
    return {
        "unit": "",
        "bars": [{"name": p.name, "value": p.number, "url": p.url} for p in found],
    }

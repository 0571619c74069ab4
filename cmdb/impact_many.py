"""What hangs directly on some hosts: a few queries however many they are, for a look before work runs on them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q

from cmdb.impact import TO_SOURCE, TO_TARGET
from cmdb.models import Host, Relation
from cmdb.related import Key, seen_by_key

HOST = "cmdb.host"
# Relations that are looked at; beyond it is said that there are more.
MOST = 500


@dataclass(frozen=True)
class Dependent:
    """One object that hangs on some host."""

    name: str
    url: str
    kind: str


@dataclass
class Dependents:
    """What falls with some hosts: the first objects, how many the reader sees, how many he does not, whether there are more."""

    objects: list[Dependent] = field(default_factory=list)
    count: int = 0
    hidden: int = 0
    cut: bool = False


@dataclass(frozen=True)
class Share:
    """How much of something is touched: 3 of 4 hosts."""

    name: str
    url: str
    touched: int
    total: int

    @property
    def percent(self) -> int:
        """The share in per cent."""
        return round(100 * self.touched / max(self.total, 1))


def dependents(user: Any, host_ids: Iterable[int], first: int = 20) -> Dependents:
    """Give what hangs on hosts by relations that people set, and the guests that run on them; these hosts themselves apart."""
    ids = set(host_ids)
    keys, cut = _related(ids)
    guests = Host.objects.visible_to(user).filter(hypervisor__in=ids)
    rows = list(guests.exclude(pk__in=ids).order_by("hostname", "pk")[: MOST + 1])
    seen: dict[Key, Any] = seen_by_key(user, keys) if keys else {}
    seen |= {(HOST, row.pk): row for row in rows[:MOST]}
    found = sorted(seen.values(), key=lambda row: (row._meta.model_name, str(row)))
    named = [
        Dependent(str(row), row.get_absolute_url(), str(row._meta.verbose_name))
        for row in found[:first]
    ]
    return Dependents(
        named, len(found), len(keys - seen.keys()), cut or len(rows) > MOST
    )


def _related(ids: set[int]) -> tuple[set[Key], bool]:
    on = Q(kind__impact__in=TO_TARGET, from_type=HOST, from_id__in=ids)
    back = Q(kind__impact__in=TO_SOURCE, to_type=HOST, to_id__in=ids)
    rows = Relation.objects.filter(on | back).select_related("kind").order_by("pk")
    listed = list(rows[: MOST + 1])
    keys: set[Key] = set()
    for row in listed[:MOST]:
        ours = row.from_type == HOST and row.from_id in ids
        if ours and row.kind.impact in TO_TARGET:
            keys.add((row.to_type, row.to_id))
        if row.to_type == HOST and row.to_id in ids and row.kind.impact in TO_SOURCE:
            keys.add((row.from_type, row.from_id))
    return keys - {(HOST, pk) for pk in ids}, len(listed) > MOST


def shares(user: Any, hosts: Iterable[Host], name: str) -> list[Share]:
    """Say of each product line or cluster (`name`: the foreign key) how many of its hosts these are, largest share first.

    Only what the user sees is counted.
    """
    touched: dict[int, int] = {}
    for host in hosts:
        key = getattr(host, f"{name}_id")
        if key:
            touched[key] = touched.get(key, 0) + 1
    if not touched:
        return []
    seen = Host.objects.visible_to(user).filter(**{f"{name}__in": list(touched)})
    counted = seen.order_by().values_list(f"{name}").annotate(number=Count("pk"))
    totals: dict[int, int] = dict(counted)
    related: Any = Host._meta.get_field(name).related_model
    rows = related.objects.visible_to(user).in_bulk(list(touched))
    found = [
        Share(str(row), row.get_absolute_url(), touched[pk], totals.get(pk, 0))
        for pk, row in rows.items()
    ]
    return sorted(found, key=lambda each: (-each.percent, each.name))

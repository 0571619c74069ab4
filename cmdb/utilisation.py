"""How full subnets are, which address is free next, and what stands at each address."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, FloatField, OuterRef, Subquery, Sum, Value
from django.db.models.functions import Cast, Power

from cmdb import addresses
from cmdb.models import IpAddress, Subnet

# From here on a subnet is called nearly full.
WARN_PERCENT = 90
# Addresses drawn on one page.
DRAWN = 256


@dataclass(frozen=True)
class Usage:
    """How full a subnet is.

    Attributes:
        percent: 0 to 100. used: addresses that are not free; None for a container, which is full of subnets instead.
    """

    percent: float
    used: int | None
    total: int

    @property
    def state(self) -> str:
        """Colour of the bar."""
        full = self.used is not None and self.percent >= WARN_PERCENT
        return ("danger" if self.percent >= 100 else "warning") if full else ""

    @property
    def text(self) -> str:
        """Say it in figures."""
        return "" if self.used is None else f"{self.used} / {self.total}"


def usage_of(subnets: Iterable[Subnet]) -> dict[int, Usage]:
    """Say how full each of some subnets is: one query for all of them, and one for the containers among them.

    Every address counts, also those of hosts that the reader may not see: a subnet is as full as it is.
    """
    listed = list(subnets)
    leaves = [each for each in listed if not each.is_container]
    containers = [each for each in listed if each.is_container]
    used, covered = _used(leaves), _covered(containers)
    found = {}
    for each in listed:
        total = each.total_addresses
        count = None if each.is_container else used.get(each.pk, 0)
        share = covered.get(each.pk, 0.0) if count is None else count / total
        found[each.pk] = Usage(min(100.0, 100 * share), count, total)
    return found


def _used(leaves: list[Subnet]) -> dict[int, int]:
    if not leaves:
        return {}
    rows = IpAddress.objects.filter(subnet__in=[each.pk for each in leaves])
    taken = rows.exclude(status=IpAddress.Status.FREE).order_by().values("subnet_id")
    counted = taken.annotate(count=Count("key"))
    return {row["subnet_id"]: row["count"] for row in counted}


def _covered(containers: list[Subnet]) -> dict[int, float]:
    """Say which share of each container its subnets fill: the sum of 2 ** (own prefix - theirs)."""
    if not containers:
        return {}
    inner = Subnet.objects.filter(
        area=OuterRef("area"),
        first_key__gte=OuterRef("first_key"),
        first_key__lte=OuterRef("last_key"),
        is_container=False,
    )
    # As floats throughout: a decimal of PostgreSQL ends before 2 ** -128.
    prefix = Cast(F("prefix_length"), FloatField())
    size = Power(Cast(Value(0.5), FloatField()), prefix, output_field=FloatField())
    parts = inner.order_by().values("area").annotate(sum=Sum(size)).values("sum")
    rows = Subnet.objects.filter(pk__in=[each.pk for each in containers])
    filled = rows.annotate(filled=Subquery(parts, output_field=FloatField()))
    return {
        row.pk: (row.filled or 0.0) * 2.0**row.prefix_length
        for row in filled.order_by()
    }


def next_free(subnet: Subnet) -> addresses.Address | None:
    """Give the lowest address that is free and not the gateway; None when there is none.

    Counts instead of reading: the first gap of a full /16 costs some 16 counts along an index.
    """
    span = subnet.span
    gateway = int(addresses.read(subnet.gateway)) if subnet.gateway else None

    def taken(first: int, last: int) -> int:
        keys = [addresses.key_at(span.version, number) for number in (first, last)]
        rows = IpAddress.objects.filter(area=subnet.area, key__range=keys)
        # A free one that a host is written down for is not given to another.
        busy = rows.exclude(status=IpAddress.Status.FREE, host=None, nic=None)
        held = gateway is not None and first <= gateway <= last
        if held:
            busy = busy.exclude(key=addresses.key_at(span.version, gateway or 0))
        return busy.count() + held

    low, total = span.first, taken(span.first, span.last)
    if total >= span.size:
        return None
    # Of so many addresses one at least is free.
    high = min(span.last, span.first + total)
    while low < high:
        middle = (low + high) // 2
        if taken(low, middle) == middle - low + 1:
            low = middle + 1
        else:
            high = middle
    return addresses.address_at(span.version, low)


def drawn(subnet: Subnet, page: int, user: Any) -> dict[str, Any]:
    """Give a page of a subnet's addresses, each with its row where the user may see one.

    Returns:
        {"cells": [{"address", "row", "taken", "gateway"}], "page", "pages"}; IPv6 has no cells for what is free.
    """
    span = subnet.span
    if span.version == 6:
        return {"cells": [], "page": 1, "pages": 1}
    pages = -(-span.size // DRAWN)
    page = min(max(page, 1), pages)
    first = span.first + (page - 1) * DRAWN
    last = min(span.last, first + DRAWN - 1)
    keys = [addresses.key_at(4, number) for number in (first, last)]
    rows = IpAddress.objects.filter(area=subnet.area, key__range=keys)
    states = dict(rows.values_list("key", "status"))
    seen = {row.key: row for row in rows.visible_to(user).prefetch_related("host")}
    gateway = addresses.key_of(addresses.read(subnet.gateway)) if subnet.gateway else ""
    cells = []
    for number in range(first, last + 1):
        key, address = addresses.key_at(4, number), addresses.address_at(4, number)
        taken = states.get(key, IpAddress.Status.FREE) != IpAddress.Status.FREE
        cells.append(
            {
                "address": str(address),
                "last": f".{number & 255}",
                "row": seen.get(key),
                "taken": taken or key == gateway,
                "gateway": key == gateway,
            }
        )
    return {"cells": cells, "page": page, "pages": pages}

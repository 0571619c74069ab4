"""Which hosts a series may belong to, and what the portal says of a host in labels; each within the asker's scope."""

import ipaddress
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q, QuerySet

from adminset.querysets import scope_of
from cmdb import inventory
from cmdb.models import Host

LOOK = "monitor.view_metrics"
WRITE = "monitor.write_metrics"
# Places of one lookup: databases bound the parameters of a query.
CHUNK = 500


def hosts_within(user: Any, permission: str) -> QuerySet[Host]:
    """Give the hosts on which a permission of this room holds; monitoring has no list of its own: it is the CMDB's."""
    scope = scope_of(user, permission)
    rows = Host.objects.all()
    if scope.everything:
        return rows
    return rows.within(scope, "view") if scope else rows.none()


def find(user: Any, places: Iterable[str]) -> dict[str, int]:
    """Map places ("web1", "10.0.0.5") to the hosts to which the user may write.

    A place is a whole host name or a management address. What fits no host, or several, is missing.
    """
    rows = hosts_within(user, WRITE)
    found: dict[str, set[int]] = defaultdict(set)
    wanted = sorted({place for place in places if "\x00" not in place})
    for start in range(0, len(wanted), CHUNK):
        part = wanted[start : start + CHUNK]
        addresses = {_address(place): place for place in part}
        addresses.pop("", None)
        asked = Q(hostname__in=part) | Q(address__in=list(addresses))
        for key, name, address in rows.filter(asked).values_list(
            "pk", "hostname", "address"
        ):
            found[name].add(key)
            if address in addresses:
                found[addresses[address]].add(key)
    return {place: min(keys) for place, keys in found.items() if len(keys) == 1}


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The hosts that a query may look at.

    Attributes:
        labels: host id -> host, group, idc; those without one lack the label.
    """

    labels: Mapping[int, Mapping[str, str]] = field(default_factory=dict)


def fleet_of(user: Any) -> Fleet:
    """Give the hosts whose measurements the user may look at, with their labels.

    Hosts of one name are told apart by their number: "web1#12". Groups are those that the user may see, sorted, with
    commas between.
    """
    rows = hosts_within(user, LOOK).order_by("pk")
    listed = list(rows.values_list("pk", "hostname", "idc__name"))
    twice = Counter(name for _key, name, _idc in listed)
    groups: defaultdict[int, list[str]] = defaultdict(list)
    for name, keys in inventory.members_of(user).items():
        for key in keys:
            groups[key].append(name)
    found = {}
    for key, name, idc in listed:
        host = {"host": name if twice[name] == 1 else f"{name}#{key}"}
        if key in groups:
            host["group"] = ",".join(sorted(groups[key]))
        if idc:
            host["idc"] = idc
        found[key] = host
    return Fleet(found)

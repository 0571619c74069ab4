"""Writes the parts of a machine that its agent found: interfaces, disks, addresses; what is gone is marked absent."""

import re
from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils import timezone

from cmdb.models import Disk, Host, Nic
from cmdb.services.registration import register_addresses

# An integer column of PostgreSQL ends here.
MOST = 2**31 - 1
MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5,19}\Z")
# Ends of cables to containers and guests: they come and go with these, under a new name each time.
FLEETING = re.compile(r"(veth|cali|lxc|tap|vnet|fwbr|fwpr|fwln|nodelocaldns)", re.I)
KINDS = (
    (
        re.compile(
            r"(docker|virbr|cni|flannel|kube|podman|lxd|br-[0-9a-f]{12}$)", re.I
        ),
        Nic.Kind.INNER,
    ),
    (re.compile(r"(bond|team)", re.I), Nic.Kind.BOND),
    (re.compile(r"(br|vmbr|ovs)", re.I), Nic.Kind.BRIDGE),
    (re.compile(r".+\.\d{1,4}$|vlan", re.I), Nic.Kind.VLAN),
    (
        re.compile(r"(tun|wg|gre|sit|ipip|vxlan|ppp|tailscale|zt)", re.I),
        Nic.Kind.TUNNEL,
    ),
    (re.compile(r"(dummy|lo\d*$|ifb)", re.I), Nic.Kind.VIRTUAL),
)


def store_parts(host: Host, facts: Mapping[str, Any]) -> None:
    """Write the interfaces, disks and addresses of clean facts; without a change, nothing.

    Call it where the host is locked. The audit line of the report tells of the change; a fact that the agent did not
    send says nothing of its parts.
    """
    if "nics" in facts:
        register_addresses(host, _store_nics(host, facts["nics"]))
    if "disks" in facts:
        _store_disks(host, facts["disks"])


def _store_nics(host: Host, told: list[Mapping[str, Any]]) -> list[Nic]:
    """Write the interfaces, and give those that are there."""
    known = {nic.name: nic for nic in Nic.objects.filter(host=host)}
    found: dict[str, Nic] = {}
    for each in told:
        name = each["name"]
        if name and name not in found and not FLEETING.match(name):
            nic = known.get(name) or Nic(host=host, name=name, kind=_kind(name))
            _bring(nic, _nic_values(each))
            found[name] = nic
    _miss([nic for name, nic in known.items() if name not in found])
    return list(found.values())


def _kind(name: str) -> str:
    return next((kind for known, kind in KINDS if known.match(name)), Nic.Kind.PHYSICAL)


def _nic_values(told: Mapping[str, Any]) -> dict[str, Any]:
    mac = told["mac"].lower().replace("-", ":")
    return {
        "mac": mac if MAC.match(mac) else "",
        "state": {True: Nic.State.UP, False: Nic.State.DOWN}.get(told["up"], ""),
        "speed_mbps": _bounded(told["speed_mbps"]),
        "mtu": _bounded(told["mtu"]),
        "addresses": [dict(each) for each in told["addresses"]],
    }


def _bounded(number: int | None) -> int | None:
    return number if number is not None and number <= MOST else None


def _store_disks(host: Host, told: list[Mapping[str, Any]]) -> None:
    known = list(Disk.objects.filter(host=host))
    # By name and serial number first, so that a disk that stayed is nobody else's.
    wanted = {(each["name"], each["serial"]): each for each in told if each["name"]}
    taken = {(disk.name, disk.serial): disk for disk in known}
    met = {key: taken[key] for key in wanted if key in taken}
    free = [disk for disk in known if (disk.name, disk.serial) not in met]
    for key, each in wanted.items():
        disk = met.get(key) or _same_disk(free, *key) or Disk(host=host)
        if disk in free:
            free.remove(disk)
        _bring(disk, _disk_values(each))
    _miss(free)


def _same_disk(free: list[Disk], name: str, serial: str) -> Disk | None:
    """Find the disk that has only moved (its serial number says so), or told no serial number before or now."""
    moved = [disk for disk in free if serial and disk.serial == serial]
    nameless = [d for d in free if d.name == name and not (d.serial and serial)]
    return next(iter([*moved, *nameless]), None)


def _disk_values(told: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {True: Disk.Kind.HDD, False: Disk.Kind.SSD}
    return {
        "name": told["name"],
        "serial": told["serial"],
        "model": told["model"],
        "size_bytes": told["size_bytes"],
        "kind": kinds.get(told["rotational"], Disk.Kind.UNKNOWN),
    }


def _bring(part: Nic | Disk, values: dict[str, Any]) -> None:
    """Write into a part what the agent found; what is so already is not written again."""
    values |= {"found_by_agent": True, "absent_since": None}
    changed = [name for name, new in values.items() if getattr(part, name) != new]
    for name in changed:
        setattr(part, name, values[name])
    if part.pk is None:
        part.save()
    elif changed:
        part.save(update_fields=[*changed, "updated_at"])


def _miss(parts: list[Any]) -> None:
    """Mark absent what the agent had found and finds no more; what people wrote down stays."""
    gone = [part for part in parts if part.found_by_agent and not part.absent_since]
    if gone:
        now = timezone.now()
        rows: models.QuerySet = type(gone[0]).objects.filter(
            pk__in=[p.pk for p in gone]
        )
        rows.update(absent_since=now, updated_at=now)

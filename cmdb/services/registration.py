"""Writes the addresses that agents found into the register; one that another host holds stays that host's."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from adminset import audit
from adminset.audit import Actor, SystemActor
from adminset.crud import search_terms
from cmdb import addresses
from cmdb.models import Host, IpAddress, Nic, Subnet

# No machine has more; what a report says beyond is no address plan.
MOST_ADDRESSES = 1024
REPORTS = SystemActor("agent reports")
Status = IpAddress.Status


def register_addresses(host: Host, nics: Iterable[Nic]) -> None:
    """Bring the register in step with the interfaces of a host; without a change, nothing is written.

    Addresses of networks inside the machine (docker0) and such that no network hands out are left out: they are the
    same on many hosts, and stand on the interface's page.
    """
    told = _told(nics)
    mine = {row.key: row for row in IpAddress.objects.filter(host=host)}
    for key in told.keys() & mine.keys():
        _confirm(mine[key], told[key])
    if new := {key: told[key] for key in told.keys() - mine.keys()}:
        _claim(host, new)
    gone = [
        row.pk
        for key, row in mine.items()
        if key not in told and row.found_by_agent and not row.absent_since
    ]
    if gone:
        now = timezone.now()
        IpAddress.objects.filter(pk__in=gone).update(absent_since=now, updated_at=now)


def _told(nics: Iterable[Nic]) -> dict[str, Nic]:
    found: dict[str, Nic] = {}
    for nic in nics:
        for each in nic.addresses if nic.kind != Nic.Kind.INNER else ():
            address = addresses.read(each["address"])
            if addresses.is_registered(address) and len(found) < MOST_ADDRESSES:
                found.setdefault(addresses.key_of(address), nic)
    return found


def _confirm(row: IpAddress, nic: Nic) -> None:
    status = row.status if row.status == Status.DHCP else Status.IN_USE
    wanted = {
        "nic_id": nic.pk,
        "status": status,
        "absent_since": None,
        "found_by_agent": True,
    }
    changed = {n: value for n, value in wanted.items() if getattr(row, n) != value}
    if changed:
        rows = IpAddress.objects.filter(pk=row.pk)
        rows.update(**changed, updated_at=timezone.now())


def _claim(host: Host, told: dict[str, Nic]) -> None:
    """Take addresses that nobody holds, and write down those that nobody has yet."""
    places = {key: _place_of(host, key) for key in told}
    areas = {subnet.area if subnet else "" for subnet in places.values()}
    rows = IpAddress.objects.filter(area__in=areas, key__in=list(told))
    known = {(row.area, row.key): row for row in rows}
    fresh = []
    for key, nic in told.items():
        subnet = places[key]
        area = subnet.area if subnet else ""
        if row := known.get((area, key)):
            _take_over(host, row, nic)
        else:
            text = str(addresses.address_at(int(key[0]), addresses.number_of(key)))
            fresh.append(
                IpAddress(
                    address=text,
                    area=area,
                    key=key,
                    subnet=subnet,
                    host=host,
                    nic=nic,
                    found_by_agent=True,
                )
            )
    # Another host may report the same address at this moment: the first one holds it.
    IpAddress.objects.bulk_create(fresh, batch_size=500, ignore_conflicts=True)
    if fresh:
        mine = IpAddress.objects.filter(host=host, key__in=[row.key for row in fresh])
        search_terms.index_rows(IpAddress, mine.values_list("pk", flat=True))


def _place_of(host: Host, key: str) -> Subnet | None:
    """Find the subnet of an address that a host reports: one of its own IDC, else one of the area that all share."""
    held = Q(first_key__lte=key, last_key__gte=key)
    here = Q(area="")
    if host.idc_id:
        here |= Q(idc_id=host.idc_id)
    found = list(Subnet.objects.filter(held & here).order_by("-first_key", "last_key"))
    own = [each for each in found if host.idc_id and each.idc_id == host.idc_id]
    return next(iter([*own, *found]), None)


def _take_over(host: Host, row: IpAddress, nic: Nic) -> None:
    """Let a host have an address whose holder no longer has it, or that was kept back for it."""
    if row.host_id is not None and not row.absent_since:
        return
    before = audit.snapshot(row)
    status = row.status if row.status == Status.DHCP else Status.IN_USE
    free = IpAddress.objects.filter(
        pk=row.pk,
        host_id=row.host_id,  # type: ignore[misc]
        absent_since=row.absent_since,
    )
    now = timezone.now()
    taken = free.update(
        host=host,
        nic=nic,
        status=status,
        absent_since=None,
        found_by_agent=True,
        updated_at=now,
    )
    if taken:
        row.refresh_from_db()
        actor: Actor = getattr(host, "agent", None) or REPORTS
        changes = audit.changed(before, audit.snapshot(row))
        audit.record(actor, "ipaddress.update", row, changes=changes)

"""AdminSet's hosts and host groups, row by row in our words."""

import re
from collections import defaultdict
from typing import Any

from adminset.audit import Actor
from cmdb.coming import reading
from cmdb.coming.places import CABINETS, IDCS, LOGINS, key_of, kind_of, status_key
from cmdb.coming.putting import Kind, Putter, Wanted
from cmdb.coming.source import Row
from cmdb.forms.hosts import HostForm
from cmdb.models import Cabinet, CustomField, Host, HostGroup, Source
from cmdb.resources import hosts as resources
from cmdb.resources.organisation import CUSTOM_FIELD
from cmdb.services import provenance
from cmdb.services.hosts import save_host

HOSTS, GROUPS = "cmdb_host", "cmdb_hostgroup"
KINDS = {
    "1": Host.Kind.PHYSICAL,
    "2": Host.Kind.VIRTUAL,
    "3": Host.Kind.CONTAINER,
    "4": Host.Kind.NETWORK,
    "5": Host.Kind.SECURITY,
    "6": Host.Kind.OTHER,
}
STATUSES = {"1": "in use", "2": "spare", "3": "broken", "4": "other"}
# What AdminSet's agent filled in: ours knows better, where it reports.
FOUND = (
    "vendor",
    "serial",
    "os_name",
    "os_version",
    "cpu_model",
    "cpu_threads",
    "memory_bytes",
    "disk_bytes",
)
# column -> key, label and type of the further field that keeps it.
FURTHER = {
    "other_ip": ("other_addresses", "其它IP", CustomField.Type.TEXT),
    "up_time": ("racked_on", "上架时间", CustomField.Type.DATE),
    "position": ("position", "所在位置", CustomField.Type.TEXT),
}
NOT_IN_A_GROUP_NAME = re.compile(r"[^\w.-]+")


class AdminSetHostForm(HostForm):
    """The form of a host, with the sizes that otherwise only agents say."""

    class Meta(HostForm.Meta):
        fields = (*HostForm.Meta.fields, "memory_bytes", "disk_bytes")  # type: ignore[assignment]


def _save(*, actor: Actor, form: Any) -> Host:
    """Save a host as an import does; what agents find is left to the agent that comes one day."""
    host = save_host(actor=actor, form=form, source=Source.IMPORT, by="AdminSet")
    provenance.release(host=host, fields=FOUND)
    return host


HOST = Kind(Host, AdminSetHostForm, _save, merges=False)
GROUP = kind_of(resources.HOST_GROUP, notes="description")
FIELD = kind_of(CUSTOM_FIELD, notes="")


def ensure_fields(putter: Putter, rows: list[Row]) -> None:
    """Make the further fields of hosts that AdminSet has a column for, where some host says something there."""
    for number, (column, (key, label, type_)) in enumerate(FURTHER.items(), 1):
        said = any(reading.text(row.get(column)) for row in rows)
        if said and key_of(CustomField, kind="cmdb.host", key=key) is None:
            values = {"kind": "cmdb.host", "key": key, "label": label, "type": type_}
            made = Wanted({"id": number}, needed=("key",), values=values)
            putter.put("cmdb_host.columns", FIELD, made, None)


def put_host(putter: Putter, row: Row, cabinets: list[Any]) -> None:
    """Bring over a host.

    Args:
        cabinets: keys of the cabinets in which AdminSet says it stands; here it stands in one.
    """
    wanted = Wanted(row, needed=("hostname",))
    wanted.take("hostname", "hostname")
    wanted.take("address", "ip")
    wanted.take("asset_number", "asset_no")
    wanted.take("kind", "asset_type", KINDS.get)
    wanted.take("serial", "sn")
    wanted.take("vendor", "vendor")
    wanted.take("cpu_model", "cpu_model")
    wanted.take("cpu_threads", "cpu_num", reading.cpus)
    wanted.take("memory_bytes", "memory", reading.size)
    wanted.take("disk_bytes", "disk", reading.disks)
    wanted.text("memo")
    _system(wanted)
    for column, (key, _label, type_) in FURTHER.items():
        read = reading.day if type_ == CustomField.Type.DATE else str
        wanted.take(f"custom_{key}", column, read)
    putter.refer(wanted, "idc", "idc_id", IDCS)
    putter.refer(wanted, "credential", "account_id", LOGINS)
    _stand(putter, wanted, cabinets)
    found = _same(wanted)
    if len(found) > 1:
        wanted.remarks.append("several hosts bear this name here")
        putter.refuse(HOSTS, wanted)
        return
    host = found[0] if found else None
    _status(putter, wanted, host)
    if host is not None:
        _leave_to_agent(wanted, host)
    putter.put(HOSTS, HOST, wanted, host.pk if host else None)


def _same(wanted: Wanted) -> list[Host]:
    """Find the host that is called so; of several the one of the same address."""
    named = list(Host.objects.filter(hostname=wanted.values.get("hostname", "")))
    if len(named) < 2:
        return named
    there = [each for each in named if each.address == wanted.values.get("address")]
    return there if len(there) == 1 else named


def _system(wanted: Wanted) -> None:
    said = reading.text(wanted.row.get("os"))
    if said:
        name, version = reading.release(said)
        wanted.values["os_name"], wanted.told["os_name"] = name, ("os", said)
        if version:
            wanted.values["os_version"] = version
            wanted.told["os_version"] = ("os", said)


def _stand(putter: Putter, wanted: Wanted, cabinets: list[Any]) -> None:
    """Put it into the first cabinet that stands in its IDC; the others go to the notes."""
    known = [putter.made.get((CABINETS, key)) for key in cabinets]
    for cabinet in Cabinet.objects.filter(pk__in=filter(None, known)).order_by("pk"):
        idc = wanted.values.get("idc", cabinet.idc_id)
        if "cabinet" not in wanted.values and idc == cabinet.idc_id:
            wanted.values |= {"cabinet": cabinet.pk, "idc": idc}
            wanted.told["cabinet"] = ("cabinet", str(cabinet))
        else:
            wanted.note("cabinet", str(cabinet))
            wanted.remarks.append(f"it stands in one cabinet: {cabinet} went to notes")


def _status(putter: Putter, wanted: Wanted, host: Host | None) -> None:
    """Set the status of a new host; what people made of it here stays."""
    said = reading.text(wanted.row.get("status"))
    if said and said not in STATUSES:
        wanted.note("status", said)
    elif said and (host is None or host.status_id is None):
        wanted.values["status"] = status_key(putter, wanted.row, STATUSES[said])


def _leave_to_agent(wanted: Wanted, host: Host) -> None:
    """Keep what an agent found, and what people hold against imports."""
    held = provenance.stronger(host, provenance.SHARED_FIELDS, Source.IMPORT)
    agents = set(FOUND) if host.facts else set()
    for name in sorted((held | agents) & set(wanted.values)):
        old = getattr(host, name)
        if old in (None, "") or name == "hostname":
            continue
        if str(old) != str(wanted.values[name]):
            wanted.remarks.append(f"{name} stays as it is here")
        del wanted.values[name]


def put_groups(putter: Putter, rows: list[Row], pairs: list[tuple[Any, Any]]) -> None:
    """Bring over the groups with their hosts; hosts that are in them here stay.

    Args:
        pairs: (group, host) by AdminSet's keys.
    """
    members = defaultdict(set)
    for group, host in pairs:
        if (HOSTS, host) in putter.made:
            members[group].add(putter.made[HOSTS, host])
    used: set[str] = set()
    for row in rows:
        said = reading.text(row.get("name"))
        name = NOT_IN_A_GROUP_NAME.sub("-", said).strip("-") or f"group-{row['id']}"
        if name in used:
            name = f"{name}-{row['id']}"
        used.add(name)
        wanted = Wanted(row, values={"name": name})
        if name != said:
            wanted.note("name", said)
        wanted.text("desc")
        _put_group(putter, wanted, members[row["id"]])


def _put_group(putter: Putter, wanted: Wanted, members: set[int]) -> None:
    group = HostGroup.objects.filter(name=wanted.name).first()
    here = set(group.hosts.values_list("pk", flat=True)) if group else set()
    if members - here:
        wanted.needed = ("name", "hosts")
        wanted.values["hosts"] = sorted(members | here)
    putter.put(GROUPS, GROUP, wanted, group.pk if group else None)

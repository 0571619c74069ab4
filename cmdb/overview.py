"""What the first tab of a host's page says: who it is, where it stands, what its agent found, and what people set otherwise."""

from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as _

from adminset.models import AuditEntry
from adminset.querysets import seen
from adminset.templatetags.ui import duration, filesize_iec
from cmdb import facts as reading
from cmdb import hostkeys
from cmdb.models import Host, HostGroup

IDENTITY = (
    "hostname",
    "kind",
    "owner",
    "asset_number",
    "purchased_on",
    "warranty_until",
    "notes",
)
PLACE = ("idc", "cabinet", "cabinet_unit")
ACCESS = ("address", "ssh_port", "credential")
MACHINE = ("vendor", "product", "serial", "cpu_model", "cpu_threads")
SIZES = ("memory_bytes", "swap_bytes", "disk_bytes")
SYSTEM = ("os_name", "os_version", "kernel", "architecture")


def overview(host: Host, user: Any) -> dict[str, Any]:
    """Give {sections: [{title, rows: [{label, value, agent_says}]}], agent, disks, nics}."""
    says = _said_otherwise(host)
    groups = seen(user, host.groups.all())
    return {
        "agent": getattr(host, "agent", None),
        "disks": host.facts.get("disks", []),
        "nics": host.facts.get("nics", []),
        "sections": [
            _section(_("Identity"), _rows(host, IDENTITY, says)),
            _section(_("Place"), [*_rows(host, PLACE, says), _group_row(host, groups)]),
            _section(_("Access"), _access_rows(host, user, says)),
            _section(
                _("Hardware"), _rows(host, MACHINE, says) + _size_rows(host), found=True
            ),
            _section(
                _("Operating system"),
                _rows(host, SYSTEM, says) + _fact_rows(host),
                found=True,
            ),
        ],
    }


def _section(
    title: str, rows: list[dict[str, Any]], *, found: bool = False
) -> dict[str, Any]:
    kept = [row for row in rows if row["value"] not in (None, "", [])]
    return {"title": title, "rows": kept, "found": found}


def _said_otherwise(host: Host) -> dict[str, Any]:
    """Map the fields that people keep to what the agent would have written."""
    said = reading.columns(host.facts)
    if address := reading.management_address(host.facts):
        said["address"] = address
    return {
        name: said[name]
        for name in host.locked_fields
        if said.get(name) not in (None, getattr(host, name))
    }


def _rows(
    host: Host, names: tuple[str, ...], says: dict[str, Any]
) -> list[dict[str, Any]]:
    return [
        {
            "label": host._meta.get_field(name).verbose_name,  # type: ignore[union-attr]
            "value": _value(host, name),
            "agent_says": says.get(name),
        }
        for name in names
    ]


def _value(host: Host, name: str) -> Any:
    if name == "kind":
        return host.get_kind_display()
    return getattr(host, name)


def _access_rows(host: Host, user: Any, says: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [*_rows(host, ACCESS, says), _key_row(host)]
    credential = host.credential
    if credential is not None and not seen(user, [credential]):
        # That there is one is worth knowing (work can run); its name is for who sees credentials.
        next(row for row in rows if row["value"] == credential)["value"] = _("set")
    return rows


def _group_row(host: Host, groups: list[HostGroup]) -> dict[str, Any]:
    label = host._meta.get_field("groups").verbose_name
    return {"label": label, "value": groups, "agent_says": None}


def _size_rows(host: Host) -> list[dict[str, Any]]:
    return [
        {
            "label": host._meta.get_field(name).verbose_name,  # type: ignore[union-attr]
            "value": filesize_iec(size),
        }
        for name in SIZES
        if (size := getattr(host, name)) is not None
    ]


def _fact_rows(host: Host) -> list[dict[str, Any]]:
    known = host.facts
    booted = known.get("booted_at")
    up = datetime.fromtimestamp(booted, UTC) if booted and booted < 1e11 else None
    return [
        {"label": _("virtualisation"), "value": known.get("virtualisation")},
        {"label": _("CPU (sockets)"), "value": known.get("cpu_sockets")},
        {"label": _("CPU (cores)"), "value": known.get("cpu_cores")},
        {"label": _("time zone"), "value": known.get("time_zone")},
        {"label": _("Python"), "value": known.get("python_version")},
        {"label": _("started"), "value": up},
    ]


def _key_row(host: Host) -> dict[str, Any]:
    row: dict[str, Any] = {"label": _("host key"), "value": _("not accepted yet")}
    if host.host_key:
        entry = AuditEntry.objects.filter(
            verb="host.accept_key", target_type="cmdb.host", target_id=str(host.pk)
        ).first()
        row["value"] = hostkeys.fingerprint(host.host_key)
        row["accepted"] = entry
    return row


def clock_offset(seconds: float | None) -> str:
    """Say how far an agent's clock is off, where it matters."""
    if seconds is None or abs(seconds) < 2:
        return ""
    said = _("%(time)s ahead") if seconds > 0 else _("%(time)s behind")
    return said % {"time": duration(abs(seconds))}

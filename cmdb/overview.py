"""What the first tab of a host's page says: who it is, where it stands, what its agent found, and what people set otherwise."""

from datetime import UTC, datetime
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from adminset.measures import duration, filesize_iec
from adminset.models import AuditEntry
from adminset.querysets import seen
from adminset.scopes import is_scoped
from cmdb import hostkeys, membership
from cmdb.custom import described
from cmdb.models import Host, HostGroup, Source
from cmdb.services import provenance

IDENTITY = (
    "hostname",
    "kind",
    "owner",
    "product_line",
    "asset_number",
    "supplier",
    "purchased_on",
    "warranty_until",
    "notes",
)
PLACE = (
    "idc",
    "cabinet",
    "cabinet_unit",
    "unit_height",
    "branch",
    "cluster",
    "hypervisor",
)
ACCESS = ("address", "ssh_port", "credential")
MACHINE = ("vendor", "product", "serial", "cpu_model", "cpu_threads")
SIZES = ("memory_bytes", "swap_bytes", "disk_bytes")
SYSTEM = ("os_name", "os_version", "kernel", "architecture")


def overview(host: Host, user: Any) -> dict[str, Any]:
    """Give {sections: [{title, rows: [{label, value, agent_says, said_by, held}]}], agent}."""
    says = _said_otherwise(host)
    groups = seen(user, membership.groups_of(host))
    about = _rows(host, IDENTITY, says) + _more_rows(host)
    return {
        "agent": getattr(host, "agent", None),
        "disks": host.facts.get("disks", []),
        "nics": host.facts.get("nics", []),
        "sections": [
            _section(_("Identity"), _without_hidden(about, user)),
            _section(_("Custom fields"), described(host)),
            _section(
                _("Place"),
                [
                    *_without_hidden(_rows(host, PLACE, says), user),
                    _group_row(host, groups),
                ],
            ),
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


def _said_otherwise(host: Host) -> dict[str, dict[str, Any]]:
    """Map the fields that somebody holds to who that is, and to what weaker sources say instead."""
    said, agent = provenance.agents_word(host), Source.AGENT.label
    words = {
        name: {"agent_says": said[name], "said_by": agent}
        for name in host.locked_fields
        if said.get(name) not in (None, getattr(host, name))
    }
    for row in host.field_sources.all():
        word = words.setdefault(row.field, {})
        if row.source != Source.AGENT:
            word["held"] = row
        if row.said_by:
            word |= {"agent_says": row.said, "said_by": row.get_said_by_display()}
    return words


def _rows(
    host: Host, names: tuple[str, ...], says: dict[str, Any]
) -> list[dict[str, Any]]:
    return [
        {
            "label": host._meta.get_field(name).verbose_name,  # type: ignore[union-attr]
            "value": _value(host, name),
            "agent_says": None,
            **says.get(name, {}),
        }
        for name in names
    ]


def _value(host: Host, name: str) -> Any:
    if name == "kind":
        return host.get_kind_display()
    return getattr(host, name)


def _without_hidden(rows: list[dict[str, Any]], user: Any) -> list[dict[str, Any]]:
    """Take the names of related objects out that the reader may not see."""
    for row in rows:
        value = row["value"]
        if isinstance(value, models.Model) and is_scoped(type(value)):
            row["value"] = value if seen(user, [value]) else _("not for you to see")
    return rows


def _more_rows(host: Host) -> list[dict[str, Any]]:
    price = f"{host.price} {host.currency}" if host.price is not None else ""
    return [
        {"label": _("price"), "value": price, "agent_says": None},
        {"label": _("tags"), "value": list(host.tags.all()), "agent_says": None},
    ]


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

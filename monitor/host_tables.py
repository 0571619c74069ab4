"""What a host does now, as tables: from its newest values (file systems, disks, interfaces) and from the lists it sends."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from monitor.metric_store import store
from monitor.metrics import split_name
from monitor.tables_of_hosts import Table

TITLES = {
    "filesystems": _("File systems"),
    "disks": _("Disks"),
    "interfaces": _("Network interfaces"),
    "processes": _("Processes"),
    "units": _("systemd units"),
    "containers": _("Containers"),
    "sensors": _("Sensors"),
    "smart": _("Health of the disks"),
    "gpus": _("GPUs"),
    "ports": _("Listening ports"),
    "users": _("Users with a shell"),
}
COLUMNS = {
    "active": _("state"),
    "address": _("address"),
    "available": _("available"),
    "busy": _("busy"),
    "cpu_percent": _("CPU"),
    "device": _("device"),
    "drops": _("drops"),
    "errors": _("errors"),
    "healthy": _("healthy"),
    "id": _("id"),
    "inodes": _("inodes"),
    "interface": _("interface"),
    "kind": _("kind"),
    "load": _("loaded"),
    "memory_bytes": _("memory"),
    "memory_limit_bytes": _("memory limit"),
    "mount": _("mount point"),
    "name": _("name"),
    "pid": _("pid"),
    "port": _("port"),
    "power_on_hours": _("hours on"),
    "process": _("process"),
    "protocol": _("protocol"),
    "read": _("read"),
    "received": _("received"),
    "runtime": _("runtime"),
    "sent": _("sent"),
    "shell": _("shell"),
    "size": _("size"),
    "sub": _("substate"),
    "temperature": _("temperature (°C)"),
    "uid": _("uid"),
    "unit": _("unit"),
    "used": _("used"),
    "user": _("user"),
    "value": _("value"),
    "write": _("written"),
}
# Of a metric with an instance: (name of the table, column of the instance, metric -> column and how it is said).
BUILT = (
    (
        "filesystems",
        "mount",
        {
            "fs.used_percent": ("used", "meter"),
            "fs.total_bytes": ("size", "bytes"),
            "fs.available_bytes": ("available", "bytes"),
            "fs.inodes_used_percent": ("inodes", "percent"),
        },
    ),
    (
        "disks",
        "device",
        {
            "disk.busy_percent": ("busy", "meter"),
            "disk.read_bytes_per_second": ("read", "rate"),
            "disk.write_bytes_per_second": ("write", "rate"),
        },
    ),
    (
        "interfaces",
        "interface",
        {
            "net.received_bytes_per_second": ("received", "rate"),
            "net.sent_bytes_per_second": ("sent", "rate"),
            "net.errors_per_second": ("errors", "number"),
            "net.drops_per_second": ("drops", "number"),
        },
    ),
)
BAD_WORDS = frozenset({"failed", "error", "not-found"})


@dataclass(frozen=True)
class Column:
    """A column: what it is called, and how its cells are said ("text", "number", "percent", "meter", "bytes", "rate")."""

    title: Any
    kind: str = "text"

    @property
    def is_number(self) -> bool:
        """Whether its cells stand at the right."""
        return self.kind in {"number", "percent", "bytes", "rate"}


@dataclass(frozen=True)
class Cell:
    """A cell: its value, how it is said, and whether it is bad news."""

    value: Any
    column: Column
    bad: bool = False

    @property
    def kind(self) -> str:
        """How it is said: a host may send a word where its column holds numbers."""
        if self.value is None or isinstance(self.value, bool):
            return "none" if self.value is None else "flag"
        return self.column.kind if isinstance(self.value, int | float) else "text"


@dataclass(frozen=True)
class Shown:
    """A table of a host's page.

    Attributes:
        at: when the host said so. late: that is long ago.
        left_out: rows that the host did not send.
    """

    name: str
    title: Any
    at: datetime
    late: bool
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]] = field(default_factory=list)
    left_out: int = 0


def tables_of(host_id: int) -> list[Shown]:
    """Give the tables of a host, those without a row left out.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    newest = store().latest([host_id]).get(host_id)
    sent = store().read_tables(host_id)
    built = _built(newest.values, newest.time) if newest else []
    ours = [_sent(sent[name]) for name in TITLES if name in sent]
    # A later agent may send lists that this portal has no name for.
    others = [
        _sent(table) for name, table in sorted(sent.items()) if name not in TITLES
    ]
    return [table for table in (*built, *ours, *others) if table.rows]


def _built(values: Mapping[str, float], at: float) -> list[Shown]:
    tables = []
    for name, instance_column, metrics in BUILT:
        columns = [_column(instance_column)]
        columns += [Column(COLUMNS[key], kind) for key, kind in metrics.values()]
        instances = sorted(
            {
                i
                for key in values
                for metric, i in [split_name(key)]
                if metric in metrics
            }
        )
        rows = [
            [instance, *(values.get(f"{metric}|{instance}") for metric in metrics)]
            for instance in instances
        ]
        tables.append(_shown(name, at, columns, rows))
    return tables


def _sent(table: Table) -> Shown:
    columns = [_column(name) for name in table.columns]
    # Some lists come with the facts, and those come seldom.
    patience = settings.AGENT_FACTS_SECONDS + settings.AGENT_SILENT_SECONDS
    return replace(
        _shown(table.name, table.time, columns, table.rows, table.left_out),
        late=time.time() - table.time > patience,
    )


def _shown(
    name: str,
    at: float,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Any]],
    left_out: int = 0,
) -> Shown:
    return Shown(
        name=name,
        title=TITLES.get(name, name),
        at=datetime.fromtimestamp(at, UTC),
        late=time.time() - at > settings.AGENT_SILENT_SECONDS,
        columns=columns,
        rows=[
            [
                Cell(value, column, _is_bad(value, column))
                for value, column in zip(row, columns, strict=False)
            ]
            for row in rows
        ],
        left_out=left_out,
    )


def _column(name: str) -> Column:
    title = COLUMNS.get(name, name)
    if name.endswith("_bytes"):
        return Column(title, "bytes")
    if name.endswith("_percent"):
        return Column(title, "percent")
    return Column(title, "number" if name in {"pid", "port", "value"} else "text")


def _is_bad(value: Any, column: Column) -> bool:
    if isinstance(value, bool):
        return not value and column.title == COLUMNS["healthy"]
    return isinstance(value, str) and value in BAD_WORDS

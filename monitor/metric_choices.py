"""The metrics of the catalogue as a page offers them: by what they are about, with their unit."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.utils.translation import gettext_lazy as _

from monitor.charts import unit_of
from monitor.metrics import CATALOGUE
from monitor.titles import title_of

# First word of a name -> what such metrics are about.
ABOUT = {
    "battery": _("Power"),
    "container": _("Containers"),
    "containers": _("Containers"),
    "cpu": _("CPU"),
    "disk": _("Disks"),
    "files": _("Kernel"),
    "fs": _("File systems"),
    "gpu": _("GPUs"),
    "load": _("CPU"),
    "memory": _("Memory"),
    "net": _("Network"),
    "pressure": _("Pressure"),
    "processes": _("Processes"),
    "sensor": _("Sensors"),
    "smart": _("Disks"),
    "snmp": _("Network devices"),
    "sockets": _("Network"),
    "swap": _("Memory"),
    "system": _("Kernel"),
    "tcp": _("Network"),
    "udp": _("Network"),
    "units": _("Processes"),
}


def about(metric: str) -> str:
    """Say what a metric is about."""
    return str(ABOUT.get(metric.partition(".")[0], _("Others")))


def metric_choices(names: Iterable[str] = CATALOGUE) -> list[tuple[str, list[Any]]]:
    """Give (what they are about, [(name, title with unit)]) for a select."""
    ordered = sorted(names, key=lambda name: (about(name), title_of(name)))
    return [
        (group, [(name, _named(name)) for name in members])
        for group, members in groupby(ordered, key=about)
    ]


def _named(metric: str) -> str:
    unit = unit_of(metric)
    return f"{title_of(metric)} ({unit})" if unit else title_of(metric)

"""What the metrics are called in the reader's language."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from monitor.metrics import describe, split_name

# The catalogue itself knows no Django; these lines make its titles known to the translators.
TITLES = (
    gettext_noop("CPU busy"),
    gettext_noop("CPU user"),
    gettext_noop("CPU nice"),
    gettext_noop("CPU system"),
    gettext_noop("CPU waiting for I/O"),
    gettext_noop("CPU hardware interrupts"),
    gettext_noop("CPU software interrupts"),
    gettext_noop("CPU stolen by the hypervisor"),
    gettext_noop("CPU idle"),
    gettext_noop("CPU core busy"),
    gettext_noop("Load, 1 minute"),
    gettext_noop("Load, 5 minutes"),
    gettext_noop("Load, 15 minutes"),
    gettext_noop("Memory"),
    gettext_noop("Memory used"),
    gettext_noop("Memory available"),
    gettext_noop("Memory free"),
    gettext_noop("Memory in buffers"),
    gettext_noop("Memory in cache"),
    gettext_noop("Swap"),
    gettext_noop("Swap used"),
    gettext_noop("File system"),
    gettext_noop("File system used"),
    gettext_noop("File system available"),
    gettext_noop("Inodes"),
    gettext_noop("Inodes used"),
    gettext_noop("Disk read"),
    gettext_noop("Disk write"),
    gettext_noop("Disk reads"),
    gettext_noop("Disk writes"),
    gettext_noop("Disk busy"),
    gettext_noop("Network received"),
    gettext_noop("Network sent"),
    gettext_noop("Packets received"),
    gettext_noop("Packets sent"),
    gettext_noop("Network errors"),
    gettext_noop("Packets dropped"),
    gettext_noop("Processes"),
    gettext_noop("Processes running"),
    gettext_noop("Processes blocked"),
    gettext_noop("Uptime"),
    gettext_noop("Users signed in"),
)


def title_of(name: str) -> str:
    """Give the title of a value ("disk.busy_percent|sda" -> "Disk busy sda"); a metric of somebody else keeps its name."""
    metric, instance = describe(name), split_name(name)[1]
    return f"{_(metric.title) if metric else split_name(name)[0]} {instance}".strip()

"""Traffic of network interfaces."""

from typing import Any, Dict

import psutil

from agent.collectors.series import RATE, Field, Reading, Values, series

FIELDS = (
    Field("net.received_bytes_per_second", "B/s", "received", RATE),
    Field("net.sent_bytes_per_second", "B/s", "sent", RATE),
    Field("net.received_packets_per_second", "1/s", "packets received", RATE),
    Field("net.sent_packets_per_second", "1/s", "packets sent", RATE),
    Field("net.received_errors_per_second", "1/s", "broken on receiving", RATE),
    Field("net.sent_errors_per_second", "1/s", "broken on sending", RATE),
    Field("net.received_drops_per_second", "1/s", "dropped on receiving", RATE),
    Field("net.sent_drops_per_second", "1/s", "dropped on sending", RATE),
    Field("net.errors_per_second", "1/s", "errors, both directions", RATE),
    Field("net.drops_per_second", "1/s", "drops, both directions", RATE),
)
MOST_INTERFACES = 64


def is_passing(name: str) -> bool:
    """The loopback, and a container's end of a cable: another name each start."""
    return name == "lo" or name.startswith("veth")


def collect(left_out: Dict[str, int]) -> Reading:
    """Interfaces that never moved a byte are left out.

    Args:
        left_out: gets the number of interfaces beyond MOST_INTERFACES.
    """
    found = psutil.net_io_counters(pernic=True, nowrap=False) or {}
    moving = [
        name
        for name, count in sorted(found.items())
        if not is_passing(name) and (count.bytes_recv or count.bytes_sent)
    ]
    left_out["interfaces"] = max(len(moving) - MOST_INTERFACES, 0)
    counters: Values = {}
    for name in moving[:MOST_INTERFACES]:
        for metric, count in counts(found[name]).items():
            counters[series("net." + metric + "_per_second", name)] = count
    return Reading({}, counters)


def counts(count: Any) -> Dict[str, int]:
    return {
        "received_bytes": count.bytes_recv,
        "sent_bytes": count.bytes_sent,
        "received_packets": count.packets_recv,
        "sent_packets": count.packets_sent,
        "received_errors": count.errin,
        "sent_errors": count.errout,
        "received_drops": count.dropin,
        "sent_drops": count.dropout,
        "errors": count.errin + count.errout,
        "drops": count.dropin + count.dropout,
    }

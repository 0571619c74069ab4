"""Traffic of network interfaces."""

import psutil

from agent.collectors.series import Field, Reading, Values, series

FIELDS = (
    Field("net.received_bytes_per_second", "B/s", "received"),
    Field("net.sent_bytes_per_second", "B/s", "sent"),
    Field("net.received_packets_per_second", "1/s", "packets received"),
    Field("net.sent_packets_per_second", "1/s", "packets sent"),
    Field("net.errors_per_second", "1/s", "errors, both directions"),
    Field("net.drops_per_second", "1/s", "drops, both directions"),
)


def is_passing(name: str) -> bool:
    """The loopback, and a container's end of a cable: another name each start."""
    return name == "lo" or name.startswith("veth")


def collect() -> Reading:
    """Interfaces that never moved a byte are left out."""
    counters: Values = {}
    found = psutil.net_io_counters(pernic=True, nowrap=False) or {}
    for name, count in found.items():
        if is_passing(name) or not (count.bytes_recv or count.bytes_sent):
            continue
        counters[series("net.received_bytes_per_second", name)] = count.bytes_recv
        counters[series("net.sent_bytes_per_second", name)] = count.bytes_sent
        counters[series("net.received_packets_per_second", name)] = count.packets_recv
        counters[series("net.sent_packets_per_second", name)] = count.packets_sent
        counters[series("net.errors_per_second", name)] = count.errin + count.errout
        counters[series("net.drops_per_second", name)] = count.dropin + count.dropout
    return Reading({}, counters)

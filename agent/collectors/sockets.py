"""TCP and UDP by the kernel's counters: cheap with any number of connections."""

from mmap import PAGESIZE
from pathlib import Path
from typing import Dict

from agent.collectors.series import RATE, Field, Reading, Values, per_second, percent

FOLDER = "/proc/net"
FIELDS = (
    Field("sockets.in_use", "sockets", "of every kind"),
    Field("tcp.in_use", "sockets", "TCP but TIME-WAIT, listening ones too"),
    Field("tcp.established", "sockets", "connected, or closed by the other side only"),
    Field("tcp.time_wait", "sockets", "closed, waiting for late packets"),
    Field("tcp.orphaned", "sockets", "no process holds them any more"),
    Field("tcp.memory_bytes", "B", "buffers of TCP"),
    Field("udp.in_use", "sockets", "UDP"),
    Field("tcp.opened_per_second", "1/s", "connections begun here", RATE),
    Field("tcp.accepted_per_second", "1/s", "connections begun elsewhere", RATE),
    Field("tcp.failed_per_second", "1/s", "never came about", RATE),
    Field("tcp.reset_per_second", "1/s", "ended by a reset", RATE),
    Field("tcp.segments_sent_per_second", "1/s", "without those sent again", RATE),
    Field("tcp.retransmitted_per_second", "1/s", "segments sent again", RATE),
    Field("tcp.retransmitted_percent", "%", "sent again of all sent", RATE),
    Field("tcp.timeouts_per_second", "1/s", "no answer in time", RATE),
    Field("tcp.listen_drops_per_second", "1/s", "a listener's queue was full", RATE),
    Field("udp.errors_per_second", "1/s", "datagrams lost on receiving", RATE),
)
COUNTERS = {
    "Tcp.ActiveOpens": "tcp.opened_per_second",
    "Tcp.PassiveOpens": "tcp.accepted_per_second",
    "Tcp.AttemptFails": "tcp.failed_per_second",
    "Tcp.EstabResets": "tcp.reset_per_second",
    "Tcp.OutSegs": "tcp.segments_sent_per_second",
    "Tcp.RetransSegs": "tcp.retransmitted_per_second",
    "TcpExt.TCPTimeouts": "tcp.timeouts_per_second",
    "TcpExt.ListenDrops": "tcp.listen_drops_per_second",
    "Udp.InErrors": "udp.errors_per_second",
}
GAUGES = {
    "sockets.used": ("sockets.in_use", 1),
    "TCP.inuse": ("tcp.in_use", 1),
    "TCP.orphan": ("tcp.orphaned", 1),
    "TCP.tw": ("tcp.time_wait", 1),
    "TCP.mem": ("tcp.memory_bytes", PAGESIZE),
    "UDP.inuse": ("udp.in_use", 1),
}


def collect() -> Reading:
    """IPv6 has its own count of sockets in use; the other files speak for both."""
    counted = dict(titled("snmp"), **titled("netstat"))
    found, sixth = paired("sockstat"), paired("sockstat6")
    gauges: Values = {
        name: found[key] * factor
        for key, (name, factor) in GAUGES.items()
        if key in found
    }
    for key, name in (("TCP6.inuse", "tcp.in_use"), ("UDP6.inuse", "udp.in_use")):
        if name in gauges:
            gauges[name] += sixth.get(key, 0)
    if "Tcp.CurrEstab" in counted:
        gauges["tcp.established"] = counted["Tcp.CurrEstab"]
    counters: Values = {
        name: counted[key] for key, name in COUNTERS.items() if key in counted
    }
    return Reading(gauges, counters)


def rates(before: Values, after: Values, seconds: float) -> Values:
    """Per second, and the share that was sent again."""
    values = per_second(before, after, seconds)
    again = values.get("tcp.retransmitted_per_second")
    sent = values.get("tcp.segments_sent_per_second")
    if again is not None and sent:
        values["tcp.retransmitted_percent"] = percent(again, sent + again)
    return values


def text_of(name: str) -> str:
    try:
        return (Path(FOLDER) / name).read_text()
    except OSError:
        return ""


def titled(name: str) -> Dict[str, int]:
    """Pairs of lines: `Tcp: names...`, then `Tcp: numbers...`."""
    found = {}
    lines = text_of(name).splitlines()
    for names, counts in zip(lines[::2], lines[1::2]):
        group = names.partition(":")[0]
        for word, count in zip(names.split()[1:], counts.split()[1:]):
            found[f"{group}.{word}"] = int(count)
    return found


def paired(name: str) -> Dict[str, int]:
    """Lines of `TCP: inuse 280 orphan 0 ...`."""
    found = {}
    for line in text_of(name).splitlines():
        words = line.replace(":", "").split()
        for word, count in zip(words[1::2], words[2::2]):
            found[f"{words[0]}.{word}"] = int(count)
    return found

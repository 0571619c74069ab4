"""What an agent of AdminSet says of its machine, put into the words of our own agents; nothing of it is evaluated."""

import re
from collections.abc import Mapping
from typing import Any

from cmdb import facts as reading

# Keys without which AdminSet refused a report.
NEEDED = (
    "memory",
    "disk",
    "cpu_num",
    "cpu_model",
    "ip",
    "sn",
    "vendor",
    "osver",
    "hostname",
)
DISK = re.compile(r"Disk (/dev/[\w/.-]{1,60}): ?(\d{1,9}(?:\.\d{1,3})?) ?([KMGTP])i?B")
LONGEST_DISKS = 20_000
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40, "P": 2**50}
VERSION = re.compile(r"(.{1,200}?)[ -](\d[\w.-]{0,99})")
HOSTNAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")


def read(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Give clean facts as cmdb/facts.py keeps them.

    Raises:
        KeyError: a key that AdminSet asked for is not there.
        ValueError: the host name is none.
    """
    told = {name: payload[name] for name in NEEDED}
    hostname = str(told["hostname"]).strip().rstrip(".")
    if not HOSTNAME.fullmatch(hostname):
        raise ValueError(hostname)
    osver = reading.plain_text(told["osver"])
    parts = VERSION.match(osver)
    return reading.clean(
        {
            "hostname": hostname,
            "primary_address": told["ip"],
            "vendor": told["vendor"],
            "product": payload.get("product"),
            "serial": told["sn"],
            "os_name": parts[1] if parts else osver,
            "os_version": parts[2] if parts else "",
            "cpu_model": told["cpu_model"],
            "cpu_threads": _number(told["cpu_num"]),
            "cpu_sockets": _number(payload.get("cpu_physical")),
            "memory_bytes": _number(told["memory"]) * 2**30,
            "disks": _disks(str(told["disk"])[:LONGEST_DISKS]),
            "agent_version": f"AdminSet {payload.get('agent_version', '')}".strip(),
        }
    )


def _number(value: Any) -> int:
    """Read a number, which some versions sent as a text."""
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _disks(text: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name.removeprefix("/dev/"),
            "size_bytes": int(float(size) * UNITS[unit]),
        }
        for name, size, unit in DISK.findall(text)
    ]

"""Ports that somebody listens on, and by which process where that may be read."""

import ipaddress
import os
import re
import struct
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Set, Tuple

from agent.files import read_text
from agent.tables import Found, table

PROC = "/proc"
COLUMNS = ("protocol", "address", "port", "process")
# protocol -> files, and the state that means "waits for others".
KINDS = (
    ("tcp", ("tcp", "tcp6"), "0A"),
    ("udp", ("udp", "udp6"), "07"),
)
MOST_PORTS = 500
FRESH_SECONDS = 300.0
SOCKET = re.compile(r"socket:\[(\d+)\]")

_remembered: Dict[str, Any] = {"at": float("-inf"), "ports": []}


class Port(NamedTuple):
    """An address of 0.0.0.0 or :: is every address of the host."""

    protocol: str
    address: str
    port: int
    process: str


def collect() -> Found:
    """Nothing on a system without /proc."""
    if not (Path(PROC) / "net" / "tcp").exists():
        return Found()
    return Found([table("ports", COLUMNS, listening())])


def recent() -> List[Port]:
    """As `listening`, at most FRESH_SECONDS old: it reads all connections of the host."""
    if time.monotonic() - _remembered["at"] > FRESH_SECONDS:
        listening()
    return list(_remembered["ports"])


def listening() -> List[Port]:
    """By protocol, port and address; "" for a process of somebody else."""
    sockets = dict(waiting())
    owners = processes(set(sockets)) if sockets else {}
    found = {
        Port(protocol, address, port, owners.get(inode, ""))
        for inode, (protocol, address, port) in sockets.items()
    }
    ports = sorted(found, key=lambda each: (each.protocol, each.port, each.address))
    _remembered.update(at=time.monotonic(), ports=ports[:MOST_PORTS])
    return ports


def waiting() -> Iterator[Tuple[str, Tuple[str, str, int]]]:
    """(inode, (protocol, address, port)) of each socket that waits for others."""
    for protocol, names, state in KINDS:
        for name in names:
            try:
                with (Path(PROC) / "net" / name).open() as lines:
                    next(lines, None)
                    for line in lines:
                        words = line.split()
                        if words[3] == state and words[2].endswith(":0000"):
                            address, port = words[1].split(":")
                            place = (protocol, readable(address), int(port, 16))
                            yield words[9], place
            except OSError:
                continue


def readable(text: str) -> str:
    """The kernel prints each four bytes as a number in the processor's own order."""
    words = [int(text[i : i + 8], 16) for i in range(0, len(text), 8)]
    return str(ipaddress.ip_address(struct.pack(f"={len(words)}I", *words)))


def processes(inodes: Set[str]) -> Dict[str, str]:
    """Inode of a socket -> name of a process; only those whose files may be read."""
    found: Dict[str, str] = {}
    for entry in Path(PROC).iterdir():
        if not entry.name.isdigit() or len(found) == len(inodes):
            continue
        try:
            files = os.scandir(str(entry / "fd"))
            targets = [os.readlink(file.path) for file in files]  # noqa: PTH115 - 3.6
        except OSError:
            continue
        for inode in (each for target in targets for each in SOCKET.findall(target)):
            if inode in inodes and inode not in found:
                found[inode] = read_text(entry / "comm") or ""
    return found

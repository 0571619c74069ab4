"""The address a NIC was made with: stays when somebody sets another or bonds it."""

import array
import re
import socket
import struct
from pathlib import Path
from typing import Optional

from agent.files import read_text

try:
    import fcntl
except ImportError:
    fcntl = None  # type: ignore[assignment]

NETWORK = "/sys/class/net"
# <linux/sockios.h>, <linux/ethtool.h>
SIOCETHTOOL, ETHTOOL_GPERMADDR = 0x8946, 0x20
MOST_BYTES = 32
FORM = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5,19}")


def permanent_mac(name: str) -> Optional[str]:
    """By the driver; of a bond's member by /sys; None where nobody knows."""
    return by_driver(name) or by_bond(name)


def by_driver(name: str) -> Optional[str]:
    """ioctl of ethtool: needs no privilege and sends nothing."""
    if fcntl is None:
        return None
    size = struct.pack("=II", ETHTOOL_GPERMADDR, MOST_BYTES)
    memory = array.array("B", size + bytes(MOST_BYTES))
    request = struct.pack("16sP", name.encode()[:15], memory.buffer_info()[0])
    request += bytes(40 - len(request))
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            fcntl.ioctl(probe.fileno(), SIOCETHTOOL, request)
    except OSError:
        return None
    length = struct.unpack_from("=I", memory.tobytes(), 4)[0]
    raw = memory.tobytes()[8 : 8 + min(length, MOST_BYTES)]
    return plain(":".join(f"{byte:02x}" for byte in raw))


def by_bond(name: str) -> Optional[str]:
    folder = Path(NETWORK) / name / "bonding_slave"
    return plain((read_text(folder / "perm_hwaddr") or "").lower())


def plain(text: str) -> Optional[str]:
    return text if FORM.fullmatch(text) and text.strip("0:") else None

"""Facts for the asset list, as docs/agent-protocol.md names them."""

import platform
import shlex
import socket
from pathlib import Path
from typing import Any, Dict, Optional
from urllib.parse import urlsplit

import psutil

from agent import hardware
from agent.files import read_text
from agent.identity import dmi
from agent.version import VERSION

OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
LOCALTIME, TIMEZONE = "/etc/localtime", "/etc/timezone"
OUTSIDE = (("198.51.100.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))
VOLATILE = ("booted_at",)


def facts(server: str, dmi_dir: str) -> Dict[str, Any]:
    """Everything that is known; None for what is not."""
    found: Dict[str, Any] = {
        "hostname": socket.gethostname(),
        "primary_address": primary_address(server),
        "vendor": dmi("sys_vendor", dmi_dir),
        "product": dmi("product_name", dmi_dir),
        "serial": dmi("product_serial", dmi_dir),
        "virtualisation": hardware.virtualisation(dmi_dir),
        "memory_bytes": psutil.virtual_memory().total,
        "swap_bytes": psutil.swap_memory().total,
        "disks": hardware.disks(),
        "nics": hardware.nics(),
        "time_zone": time_zone(),
        "booted_at": psutil.boot_time(),
        "agent_version": VERSION,
    }
    found.update(software())
    found.update(hardware.processor())
    return found


def content(found: Dict[str, Any]) -> Dict[str, Any]:
    """What counts as a change; the boot time trembles with the clock."""
    return {name: value for name, value in found.items() if name not in VOLATILE}


def software() -> Dict[str, Any]:
    release = os_release()
    return {
        "os_name": release.get("NAME") or platform.system() or None,
        "os_version": release.get("VERSION_ID"),
        "kernel": platform.release() or None,
        "architecture": platform.machine() or None,
        "python_version": platform.python_version(),
    }


def os_release() -> Dict[str, str]:
    """os-release(5): lines of NAME=value in shell quoting."""
    text = next(filter(None, map(read_text, OS_RELEASE)), None) or ""
    found = {}
    for line in text.splitlines():
        name, sign, value = line.strip().partition("=")
        if sign and not name.startswith("#"):
            found[name] = unquoted(value)
    return found


def unquoted(value: str) -> str:
    try:
        return "".join(shlex.split(value))
    except ValueError:
        return value


def time_zone() -> Optional[str]:
    """By the link /etc/localtime, else by Debian's /etc/timezone."""
    _, found, name = str(Path(LOCALTIME).resolve()).partition("/zoneinfo/")
    return name if found else read_text(TIMEZONE)


def primary_address(server: str) -> Optional[str]:
    """The local address of the route to the portal, of the way out when that is local.

    Connecting a UDP socket asks the routing table and sends no packet.
    """
    parts = urlsplit(server)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = None
    try:
        for family, _, _, _, place in socket.getaddrinfo(
            parts.hostname, port, type=socket.SOCK_DGRAM
        ):
            address = address or source_address(place, family)
    except (OSError, UnicodeError):
        address = None
    return address or way_out()


def way_out() -> Optional[str]:
    """By the route to an address that is nobody's; else of the first NIC that is up."""
    for place, family in OUTSIDE:
        address = source_address((place, 9), family)
        if address:
            return address
    for nic in hardware.nics():
        if nic["up"] and nic["addresses"]:
            return str(nic["addresses"][0]["address"])
    return None


def source_address(place: Any, family: int) -> Optional[str]:
    """None for a loopback address and where there is no route."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(place)
            address = str(probe.getsockname()[0]).split("%")[0]
    except OSError:
        return None
    return None if address.startswith("127.") or address == "::1" else address

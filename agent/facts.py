"""Facts for the asset list, as docs/agent-protocol.md names them."""

import logging
import platform
import shlex
import socket
from pathlib import Path
from typing import (
    AbstractSet,
    Any,
    Callable,
    Dict,
    FrozenSet,
    List,
    Optional,
    Sequence,
)
from urllib.parse import urlsplit

import psutil

from agent import hardware
from agent.cloud import cloud
from agent.collectors import ports, users
from agent.files import read_text
from agent.identity import dmi
from agent.logs import quoted
from agent.memory_modules import memory_modules
from agent.packages import packages
from agent.version import VERSION

OS_RELEASE = ("/etc/os-release", "/usr/lib/os-release")
LOCALTIME, TIMEZONE = "/etc/localtime", "/etc/timezone"
OUTSIDE = (("198.51.100.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))
VOLATILE = ("booted_at", "ports")
FAULTS = (OSError, ValueError, LookupError)
NOTHING: FrozenSet[str] = frozenset()
log = logging.getLogger(__name__)

_failing: Dict[str, str] = {}


def facts(
    server: str, dmi_dir: str, wanted: AbstractSet[str] = NOTHING
) -> Dict[str, Any]:
    """Everything that is known; None for what is not.

    Args:
        wanted: what the portal asked for besides: "packages", their list.
    """
    found: Dict[str, Any] = {
        "hostname": socket.gethostname(),
        "primary_address": primary_address(server),
        "disks": hardware.disks(),
        "nics": hardware.nics(),
        "time_zone": time_zone(),
        "booted_at": psutil.boot_time(),
        "agent_version": VERSION,
    }
    for more in (
        *(software(), hardware.processor(), machine(dmi_dir), cloud(dmi_dir)),
        inventory(dmi_dir, wanted),
    ):
        found.update(more)
    return found


def machine(dmi_dir: str) -> Dict[str, Any]:
    return {
        "vendor": dmi("sys_vendor", dmi_dir),
        "product": dmi("product_name", dmi_dir),
        "serial": dmi("product_serial", dmi_dir),
        "virtualisation": hardware.virtualisation(dmi_dir),
        "memory_bytes": psutil.virtual_memory().total,
        "swap_bytes": psutil.swap_memory().total,
    }


def inventory(dmi_dir: str, wanted: AbstractSet[str]) -> Dict[str, Any]:
    """What is read from larger files; one that fails does not stop the others."""
    return {
        "memory_modules": tried("memory_modules", lambda: memory_modules(dmi_dir)),
        "packages": tried("packages", lambda: packages("packages" in wanted)),
        "users": tried("users", lambda: dictionaries(users.with_shell())),
        "ports": tried("ports", lambda: dictionaries(ports.recent())),
    }


def tried(name: str, read: Callable[[], Any]) -> Any:
    """None where it cannot be had; the reason is said once."""
    try:
        found = read()
    except FAULTS as error:
        reason = f"{type(error).__name__}: {error}"
        if _failing.get(name) != reason:
            _failing[name] = reason
            log.warning("event=fact_failed name=%s error=%s", name, quoted(reason))
        return None
    _failing.pop(name, None)
    return found


def dictionaries(entries: Sequence[Any]) -> List[Dict[str, Any]]:
    return [dict(entry._asdict()) for entry in entries]


def content(found: Dict[str, Any]) -> Dict[str, Any]:
    """What counts as a change; the boot time trembles with the clock.

    Ports come and go, and of the packages the hash says as much as the list.
    """
    kept = {name: value for name, value in found.items() if name not in VOLATILE}
    if isinstance(kept.get("packages"), dict):
        named = kept["packages"].items()
        kept["packages"] = {name: value for name, value in named if name != "list"}
    return kept


def software() -> Dict[str, Any]:
    release = os_release()
    return {
        "os_name": release.get("NAME") or platform.system() or None,
        "os_version": release.get("VERSION_ID") or version_elsewhere(),
        "kernel": platform.release() or None,
        "architecture": platform.machine() or None,
        "python_version": platform.python_version(),
    }


def version_elsewhere() -> Optional[str]:
    """Of macOS and Windows, which have no os-release."""
    if platform.system() == "Linux":
        return None
    return platform.mac_ver()[0] or platform.version() or None


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

"""Evidence of which machine this is; the portal decides what to believe."""

import hashlib
import hmac
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import psutil

from agent.collectors.network import is_passing
from agent.files import read_text

winreg: Any
try:
    import winreg
except ImportError:
    winreg = None

CRYPTOGRAPHY = r"SOFTWARE\Microsoft\Cryptography"
DMI = "/sys/class/dmi/id"
BOOT_ID = "/proc/sys/kernel/random/boot_id"
MACHINE_ID = "/etc/machine-id"
NETWORK = "/sys/class/net"
PLACEHOLDERS = {
    "none",
    "not specified",
    "not applicable",
    "n/a",
    "unknown",
    "default string",
    "system serial number",
    "to be filled by o.e.m.",
    "to be filled by oem",
    "o.e.m.",
    "oem",
    "empty",
    "0",
    "123456789",
    "0123456789",
    "system product name",
    "system manufacturer",
}


def boot_id() -> str:
    """The kernel's id of this boot; made from the boot time where it is hidden."""
    return read_text(BOOT_ID) or f"btime-{int(psutil.boot_time())}"


def since_boot() -> int:
    """Milliseconds since this boot: counts up within it, whatever is done to the clock."""
    uptime = read_text("/proc/uptime")
    seconds = float(uptime.split()[0]) if uptime else time.monotonic()
    return int(seconds * 1000)


def identity(dmi_dir: str) -> Dict[str, Any]:
    """machine_id, product_uuid, the serials, macs; each may be None or empty."""
    uuid = dmi("product_uuid", dmi_dir)
    return {
        "machine_id": machine_id(),
        "product_uuid": uuid.lower() if uuid else None,
        "serial": dmi("product_serial", dmi_dir),
        "chassis_serial": dmi("chassis_serial", dmi_dir),
        "board_serial": dmi("board_serial", dmi_dir),
        "macs": macs(),
    }


def machine_id() -> Optional[str]:
    """Keyed hash of /etc/machine-id: the raw value is confidential."""
    raw = read_text(MACHINE_ID) or machine_guid()
    if not raw:
        return None
    return hmac.new(b"adminset", raw.encode(), hashlib.sha256).hexdigest()


def machine_guid() -> Optional[str]:
    """What Windows calls its machine id; None elsewhere."""
    if winreg is None:
        return None
    try:
        with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, CRYPTOGRAPHY) as place:
            return str(winreg.QueryValueEx(place, "MachineGuid")[0])
    except OSError:
        return None


def dmi(name: str, fallback_dir: str = "") -> Optional[str]:
    """A DMI field; `fallback_dir` holds copies of those that only root may read."""
    text = read_text(Path(DMI) / name)
    if text is None and fallback_dir:
        text = read_text(Path(fallback_dir) / name)
    if text is None or text.lower() in PLACEHOLDERS or not text.strip("0-. "):
        return None
    return text[:200]


def macs() -> List[str]:
    """Addresses of real NICs, of all but passing ones where none looks real."""
    found = {
        name: mac for name, mac in link_addresses().items() if not is_passing(name)
    }
    real = [
        mac for name, mac in found.items() if (Path(NETWORK) / name / "device").exists()
    ]
    return sorted(set(real or found.values()))


def link_addresses() -> Dict[str, str]:
    """Interface -> MAC in lower case; without interfaces that have none."""
    found = {}
    for name, addresses in psutil.net_if_addrs().items():
        for entry in addresses:
            if entry.family == psutil.AF_LINK and entry.address.strip("0:"):
                found[name] = entry.address.lower()
    return found

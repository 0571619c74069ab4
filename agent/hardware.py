"""Facts about the machine itself: processor, disks, NICs, virtualisation."""

import functools
import ipaddress
import platform
import re
import socket
from pathlib import Path
from typing import Any, Dict, List, Optional

import psutil

from agent.collectors import disks as disk_traffic
from agent.collectors.network import is_passing
from agent.files import read_integer, read_text
from agent.hardware_addresses import permanent_mac
from agent.identity import DMI, dmi, link_addresses

CPUINFO = "/proc/cpuinfo"
CGROUP = "/proc/1/cgroup"
SECTOR_BYTES = 512
CONTAINER_MARKS = (("/.dockerenv", "docker"), ("/run/.containerenv", "podman"))
CONTAINER_WORDS = ("docker", "kubepods", "libpod", "lxc", "containerd")
HYPERVISORS = (
    ("vmware", "vmware"),
    ("virtualbox", "virtualbox"),
    ("innotek", "virtualbox"),
    ("hyper-v", "hyperv"),
    ("microsoft corporation virtual", "hyperv"),
    ("openstack", "kvm"),
    ("kvm", "kvm"),
    ("amazon ec2", "kvm"),
    ("google compute", "kvm"),
    ("alibaba", "kvm"),
    ("tencent", "kvm"),
    ("digitalocean", "kvm"),
    ("qemu", "qemu"),
    ("xen", "xen"),
    ("parallels", "parallels"),
    ("bochs", "bochs"),
    ("bhyve", "bhyve"),
)


def processor() -> Dict[str, Any]:
    """cpu_model, cpu_sockets, cpu_cores, cpu_threads; what is not known is None."""
    return dict(
        described(CPUINFO),
        cpu_cores=psutil.cpu_count(logical=False),
        cpu_threads=psutil.cpu_count() or None,
    )


@functools.lru_cache(maxsize=1)
def described(path: str) -> Dict[str, Any]:
    """Model and sockets; read once, because /proc/cpuinfo is slow with many cores."""
    blocks = cpu_blocks(path)
    sockets = {block["physical id"] for block in blocks if "physical id" in block}
    model = next(filter(None, map(model_of, blocks)), None)
    return {
        "cpu_model": re.sub(r"\s+", " ", model or platform.processor()) or None,
        "cpu_sockets": len(sockets) or None,
    }


def cpu_blocks(path: str) -> List[Dict[str, str]]:
    """/proc/cpuinfo: a dictionary for each paragraph."""
    paragraphs = re.split(r"\n\s*\n", read_text(path) or "")
    pairs = [
        re.findall(r"^([^:\n]+?)\s*:[ \t]*(.*)$", text, re.M) for text in paragraphs
    ]
    return [dict(pair) for pair in pairs]


def model_of(block: Dict[str, str]) -> Optional[str]:
    names = ("model name", "cpu model", "Model", "Hardware", "cpu")
    return next((block[name] for name in names if block.get(name)), None)


def disks() -> List[Dict[str, Any]]:
    """Whole disks; [] where /sys does not show them."""
    try:
        names = [entry.name for entry in Path(disk_traffic.BLOCK).iterdir()]
    except OSError:
        return []
    found = [disk(name) for name in disk_traffic.whole_disks(names)]
    return [entry for entry in found if entry["size_bytes"]]


def disk(name: str) -> Dict[str, Any]:
    folder = Path(disk_traffic.BLOCK) / name
    sectors = read_integer(folder / "size")
    rotational = read_integer(folder / "queue" / "rotational")
    return {
        "name": name,
        "size_bytes": None if sectors is None else sectors * SECTOR_BYTES,
        "model": read_text(folder / "device" / "model"),
        "serial": disk_serial(folder),
        "rotational": None if rotational is None else bool(rotational),
    }


def disk_serial(folder: Path) -> Optional[str]:
    """NVMe and virtio say it in a file of their own, SCSI in VPD page 0x80."""
    page = read_text(folder / "device" / "vpd_pg80")
    page = "".join(c for c in page or "" if c.isprintable()).strip(" \ufffd")
    plain = read_text(folder / "serial") or read_text(folder / "device" / "serial")
    return plain or page or None


def nics() -> List[Dict[str, Any]]:
    """Interfaces but the loopback and the containers' ones, by name."""
    states, macs = psutil.net_if_stats(), link_addresses()
    found = []
    for name, entries in sorted(psutil.net_if_addrs().items()):
        if is_passing(name):
            continue
        state = states.get(name)
        found.append(
            {
                "name": name,
                "mac": macs.get(name),
                "permanent_mac": permanent_mac(name),
                "mtu": state.mtu if state else None,
                "speed_mbps": (state.speed or None) if state else None,
                "up": state.isup if state else None,
                "addresses": addresses(entries),
            }
        )
    return found


def addresses(entries: List[Any]) -> List[Dict[str, Any]]:
    families = (socket.AF_INET, socket.AF_INET6)
    return [
        {"address": entry.address.split("%")[0], "prefix": prefix(entry.netmask)}
        for entry in entries
        if entry.family in families
    ]


def prefix(netmask: Optional[str]) -> Optional[int]:
    """255.255.255.0 -> 24, ffff:: -> 16."""
    try:
        return bin(int(ipaddress.ip_address(netmask or ""))).count("1")
    except ValueError:
        return None


def virtualisation(dmi_dir: str) -> Optional[str]:
    """A container's kind before a virtual machine's; "physical" only with evidence."""
    return container() or hypervisor() or ("physical" if is_bare(dmi_dir) else None)


def container() -> Optional[str]:
    for path, kind in CONTAINER_MARKS:
        if Path(path).exists():
            return kind
    named = read_text("/run/systemd/container")
    if named:
        return named.lower()[:40]
    groups = read_text(CGROUP) or ""
    return next((word for word in CONTAINER_WORDS if word in groups), None)


def hypervisor() -> Optional[str]:
    """By DMI, by /sys/hypervisor, by the processor's flag ("vm": some kind)."""
    words = [dmi(name) or "" for name in ("sys_vendor", "product_name", "bios_vendor")]
    text = " ".join(words).lower()
    for mark, kind in HYPERVISORS:
        if mark in text:
            return kind
    return read_text("/sys/hypervisor/type") or (
        "vm" if has_hypervisor_flag() else None
    )


def has_hypervisor_flag() -> bool:
    return under_hypervisor(CPUINFO)


@functools.lru_cache(maxsize=1)
def under_hypervisor(path: str) -> bool:
    blocks = cpu_blocks(path)
    return bool(blocks) and "hypervisor" in blocks[0].get("flags", "").split()


def is_bare(dmi_dir: str) -> bool:
    return Path(DMI).is_dir() and dmi("sys_vendor", dmi_dir) is not None

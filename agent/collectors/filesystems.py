"""Space and inodes of mounted file systems; a mount that hangs is left out."""

import os
import threading
from typing import Dict, List, Optional, Set

import psutil

from agent.collectors.series import Field, Reading, Values, percent, series

FIELDS = (
    Field("fs.total_bytes", "B", "size"),
    Field("fs.used_bytes", "B", "in use"),
    Field("fs.available_bytes", "B", "free for ordinary users"),
    Field("fs.used_percent", "%", "used of used + available, as df says"),
    Field("fs.inodes_total", "inodes", "inodes; absent where there is no fixed number"),
    Field("fs.inodes_used", "inodes", "inodes in use"),
    Field("fs.inodes_used_percent", "%", "inodes used of total"),
)
WAIT_SECONDS = 2.0
REMOTE = (
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ceph",
    "lustre",
    "gfs2",
    "ocfs2",
    "afs",
    "9p",
    "gpfs",
    "beegfs",
    "davfs",
    "ncpfs",
)
IMAGES = ("squashfs", "iso9660", "erofs", "cramfs", "udf", "romfs")
CONTAINER_FILES = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf")

_asking: Set[str] = set()


def collect(network_filesystems: bool = False) -> Reading:
    values: Values = {}
    for mount in mounts(network_filesystems):
        answer = ask(mount)
        if answer is not None and answer.f_blocks:
            values.update(measure(mount, answer))
    return Reading(values, {})


def mounts(network_filesystems: bool = False) -> List[str]:
    """Mount points worth a series: `/` always, each device once, no pseudo ones."""
    chosen: Dict[str, str] = {"/": "/"}
    root = ""
    for entry in psutil.disk_partitions(all=True):
        if entry.mountpoint == "/":
            root = entry.device
        elif wanted(entry.device, entry.mountpoint, entry.fstype, network_filesystems):
            known = chosen.get(entry.device, entry.mountpoint)
            chosen[entry.device] = min(known, entry.mountpoint, key=len)
    if root.startswith("/dev/"):
        chosen.pop(root, None)
    return sorted(set(chosen.values()))


def wanted(device: str, mount: str, kind: str, network_filesystems: bool) -> bool:
    if mount in CONTAINER_FILES or kind in IMAGES:
        return False
    if kind in REMOTE or kind.startswith("fuse."):
        return network_filesystems
    return kind == "zfs" or device.startswith("/dev/")


def ask(mount: str) -> Optional[os.statvfs_result]:
    """statvfs with a limit; while a call hangs, its mount is not asked again."""
    if mount in _asking:
        return None
    answers: List[os.statvfs_result] = []
    thread = threading.Thread(target=_statvfs, args=(mount, answers), daemon=True)
    _asking.add(mount)
    thread.start()
    thread.join(WAIT_SECONDS)
    return answers[0] if answers else None


def _statvfs(mount: str, answers: List[os.statvfs_result]) -> None:
    try:
        answers.append(os.statvfs(mount))
    except OSError:
        return
    finally:
        _asking.discard(mount)


def measure(mount: str, answer: os.statvfs_result) -> Values:
    used = (answer.f_blocks - answer.f_bfree) * answer.f_frsize
    available = answer.f_bavail * answer.f_frsize
    values: Values = {
        "fs.total_bytes": answer.f_blocks * answer.f_frsize,
        "fs.used_bytes": used,
        "fs.available_bytes": available,
        "fs.used_percent": percent(used, used + available or 1),
    }
    if answer.f_files:
        inodes = answer.f_files - answer.f_ffree
        values["fs.inodes_total"] = answer.f_files
        values["fs.inodes_used"] = inodes
        values["fs.inodes_used_percent"] = percent(inodes, answer.f_files)
    return {series(name, mount): value for name, value in values.items()}

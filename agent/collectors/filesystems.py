"""Space and inodes of mounted file systems; a mount that hangs is left out."""

import os
import re
import threading
from typing import Any, Dict, List, Optional, Set

import psutil

from agent.collectors.series import Field, Reading, Values, percent, series
from agent.files import read_text

FIELDS = (
    Field("fs.total_bytes", "B", "size"),
    Field("fs.used_bytes", "B", "in use"),
    Field("fs.available_bytes", "B", "free for ordinary users"),
    Field("fs.used_percent", "%", "used of used + available, as df says"),
    Field("fs.inodes_total", "inodes", "inodes; absent where there is no fixed number"),
    Field("fs.inodes_used", "inodes", "inodes in use"),
    Field("fs.inodes_used_percent", "%", "inodes used of total"),
    Field("fs.read_only", "flag", "1: the file system takes no writes"),
)
MOUNTS = "/proc/self/mountinfo"
MOST_MOUNTS = 64
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


def collect(network_filesystems: bool, left_out: Dict[str, int]) -> Reading:
    """Space of each mount.

    Args:
        left_out: gets the number of mounts beyond MOST_MOUNTS.
    """
    values: Values = {}
    chosen = mounts(network_filesystems)
    left_out["mounts"] = max(len(chosen) - MOST_MOUNTS, 0)
    frozen = read_only()
    for mount in chosen[:MOST_MOUNTS]:
        answer = ask(mount)
        if answer is not None:
            values.update(measure(mount, answer, frozen.get(mount)))
    return Reading(values, {})


def mounts(network_filesystems: bool = False) -> List[str]:
    """Mount points worth a series: `/` always, each device once, no pseudo ones."""
    chosen: Dict[str, str] = {} if os.sep == "\\" else {"/": "/"}
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
    return kind == "zfs" or device.startswith("/dev/") or device[1:2] == ":"


def ask(mount: str) -> Any:
    """statvfs with a limit; while a call hangs, its mount is not asked again."""
    if mount in _asking:
        return None
    answers: List[Any] = []
    thread = threading.Thread(target=_statvfs, args=(mount, answers), daemon=True)
    _asking.add(mount)
    thread.start()
    thread.join(WAIT_SECONDS)
    return answers[0] if answers else None


def _statvfs(mount: str, answers: List[Any]) -> None:
    """Windows has no such call: there psutil answers, without inodes."""
    try:
        statvfs = getattr(os, "statvfs", psutil.disk_usage)
        answers.append(statvfs(mount))
    except OSError:
        return
    finally:
        _asking.discard(mount)


def read_only(path: str = MOUNTS) -> Dict[str, bool]:
    """Mount point -> whether its file system itself takes no writes; {} where the kernel does not say.

    proc_pid_mountinfo(5): the last field has the options of the file system. Those of the mount, and statvfs, would
    tell of the sandbox that systemd put round the agent (ProtectSystem=strict), where everything is read-only.
    """
    found: Dict[str, bool] = {}
    for line in (read_text(path) or "").splitlines():
        mount, _dash, system = line.partition(" - ")
        fields, options = mount.split(" "), system.split(" ")[2:]
        if len(fields) > 4 and options:
            found[unescaped(fields[4])] = "ro" in options[0].split(",")
    return found


def unescaped(text: str) -> str:
    """A path as mountinfo writes it: space, tab, newline and backslash as octal numbers."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found.group(1), 8)), text)


def measure(mount: str, answer: Any, frozen: Optional[bool] = None) -> Values:
    """Of an answer of statvfs or of psutil; {} for a file system without blocks.

    Args:
        frozen: whether the file system takes no writes; None: as statvfs says.
    """
    if not hasattr(answer, "f_blocks"):
        return named(mount, space(answer.total, answer.used, answer.free))
    if not answer.f_blocks:
        return {}
    size, used = answer.f_frsize, answer.f_blocks - answer.f_bfree
    values = space(answer.f_blocks * size, used * size, answer.f_bavail * size)
    flagged = bool(answer.f_flag & os.ST_RDONLY)
    values["fs.read_only"] = int(flagged if frozen is None else frozen)
    if answer.f_files:
        inodes = answer.f_files - answer.f_ffree
        values["fs.inodes_total"] = answer.f_files
        values["fs.inodes_used"] = inodes
        values["fs.inodes_used_percent"] = percent(inodes, answer.f_files)
    return named(mount, values)


def space(total: int, used: int, available: int) -> Values:
    return {
        "fs.total_bytes": total,
        "fs.used_bytes": used,
        "fs.available_bytes": available,
        "fs.used_percent": percent(used, used + available or 1),
    }


def named(mount: str, values: Values) -> Values:
    return {series(name, mount): value for name, value in values.items()}

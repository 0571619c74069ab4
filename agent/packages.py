"""Installed packages by dpkg, rpm, apk and pacman: how many, a hash, the list on request."""

import hashlib
import os
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from agent import programs

DPKG = "/var/lib/dpkg/status"
RPM_FOLDERS = ("/usr/lib/sysimage/rpm", "/var/lib/rpm")
RPM_FILES = ("rpmdb.sqlite", "Packages.db", "Packages")
RPM_FORMAT = "%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\t%{ARCH}\\n"
RPM_SECONDS = 60.0
APK = "/lib/apk/db/installed"
PACMAN = "/var/lib/pacman/local"
MOST_PACKAGES = 20000
LINE = re.compile(r"^(Package|Status|Version|Architecture): (.*)$")
HASH_LENGTH = 32

Package = Tuple[str, str, str]


class State(NamedTuple):
    """What was found when the package manager's own file had that time and size."""

    stamp: Tuple[str, int, int]
    summary: Dict[str, Any]


_known: Dict[str, State] = {}


def packages(with_list: bool) -> Optional[Dict[str, Any]]:
    """{manager, count, hash} and, when asked, list: [[name, version, architecture]].

    None where there is none of the four. The manager's file is read again only
    when it has changed; the list itself is not kept in memory.
    """
    source = source_of()
    if source is None:
        return None
    manager, path = source
    status = Path(path).stat()
    stamp = (path, int(status.st_mtime), status.st_size)
    state = _known.get(manager)
    if not with_list and state is not None and state.stamp == stamp:
        return dict(state.summary)
    found = sorted(installed(manager, path))
    summary = {"manager": manager, "count": len(found), "hash": hash_of(found)}
    _known[manager] = State(stamp, summary)
    if with_list:
        return dict(summary, list=[list(each) for each in found[:MOST_PACKAGES]])
    return dict(summary)


def installed(manager: str, path: str) -> List[Package]:
    if manager == "dpkg":
        return dpkg(path)
    if manager == "rpm":
        return rpm()
    return apk(path) if manager == "apk" else pacman(path)


def source_of() -> Optional[Tuple[str, str]]:
    if Path(DPKG).is_file():
        return "dpkg", DPKG
    for folder in RPM_FOLDERS:
        for name in RPM_FILES:
            if (Path(folder) / name).is_file() and programs.find("rpm"):
                return "rpm", str(Path(folder) / name)
    if Path(APK).is_file():
        return "apk", APK
    # Each change adds or takes away a folder there, which moves its time.
    return ("pacman", PACMAN) if Path(PACMAN).is_dir() else None


def hash_of(found: List[Package]) -> str:
    text = "\n".join("\t".join(each) for each in found)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:HASH_LENGTH]


def dpkg(path: str) -> List[Package]:
    """Line by line: the file has megabytes. Only what is installed counts."""
    found: List[Package] = []
    fields: Dict[str, str] = {}
    with Path(path).open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = LINE.match(line)
            if match:
                fields[match.group(1)] = match.group(2).strip()[:200]
            elif line == "\n":
                add(found, fields)
                fields = {}
    add(found, fields)
    return found


def add(found: List[Package], fields: Dict[str, str]) -> None:
    if fields.get("Status", "").endswith(" installed") and "Package" in fields:
        version, kind = fields.get("Version", ""), fields.get("Architecture", "")
        found.append((fields["Package"], version, kind))


def rpm() -> List[Package]:
    """By the program: its data base has had three forms. Keys are no packages."""
    path = programs.find("rpm")
    if path is None:
        return []
    text = programs.output(path, ["-qa", "--queryformat", RPM_FORMAT], RPM_SECONDS)
    found: List[Package] = []
    for line in text.splitlines():
        words = line.split("\t")
        if len(words) == 3 and words[0] != "gpg-pubkey":
            version = words[1][2:] if words[1].startswith("0:") else words[1]
            found.append((words[0], version, words[2]))
    return found


def apk(path: str) -> List[Package]:
    """Alpine's: paragraphs of lines such as "P:name", among megabytes of file names."""
    found: List[Package] = []
    fields: Dict[str, str] = {}
    with Path(path).open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line[:2] in ("P:", "V:", "A:"):
                fields[line[0]] = line[2:].strip()[:200]
            elif line == "\n":
                add_apk(found, fields)
                fields = {}
    add_apk(found, fields)
    return found


def add_apk(found: List[Package], fields: Dict[str, str]) -> None:
    if "P" in fields:
        found.append((fields["P"], fields.get("V", ""), fields.get("A", "")))


def pacman(folder: str) -> List[Package]:
    """Arch's: a folder "name-version-release" for each; the architecture is in its file."""
    found: List[Package] = []
    for entry in os.scandir(folder):
        name, _, release = entry.name.rpartition("-")
        name, _, version = name.rpartition("-")
        if name and entry.is_dir():
            kind = pacman_architecture(Path(entry.path) / "desc")
            found.append((name[:200], (version + "-" + release)[:200], kind))
    return found


def pacman_architecture(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line == "%ARCH%\n":
                    return next(lines, "").strip()[:50]
    except OSError:
        pass
    return ""

"""The agent as a package: the same bytes for the same files, wherever and whenever they are packed."""

import functools
import gzip
import hashlib
import io
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GUIDE = Path("docs/agent.md")
VERSION = re.compile(r'^VERSION = "([0-9][0-9A-Za-z.+~-]*)"$', re.MULTILINE)
SUFFIXES = {".py", ".sh", ".service"}


@dataclass(frozen=True)
class Package:
    """A file to give away; `sha256` in hexadecimal digits."""

    name: str
    content: bytes
    sha256: str


def version(root: Path = ROOT) -> str:
    """Read the agent's version without importing the agent.

    Raises:
        ValueError: agent/version.py does not name one.
    """
    found = VERSION.search((root / "agent/version.py").read_text(encoding="utf-8"))
    if not found:
        raise ValueError("agent/version.py names no version")
    return found[1]


def files(root: Path = ROOT) -> dict[str, bytes]:
    """Give the agent's files by their path, in the order of their names."""
    paths = [
        path.relative_to(root)
        for path in (root / "agent").rglob("*")
        if path.suffix in SUFFIXES and path.is_file()
    ]
    paths += [GUIDE] if (root / GUIDE).is_file() else []
    return {path.as_posix(): (root / path).read_bytes() for path in sorted(paths)}


def archive(members: dict[str, bytes], moment: int = 0) -> bytes:
    """Pack files into a .tar.gz that belongs to root; scripts may be run, all the rest only read.

    Args:
        members: content by path; folders come by themselves.
        moment: the time of all files, Unix seconds.
    """
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=moment) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        for folder in _folders(members):
            entry = _entry(folder, moment, 0o755)
            entry.type = tarfile.DIRTYPE
            tar.addfile(entry)
        for path, content in members.items():
            mode = 0o755 if content.startswith(b"#!") else 0o644
            entry = _entry(path, moment, mode)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _folders(members: dict[str, bytes]) -> list[str]:
    found = {parent.as_posix() for path in members for parent in Path(path).parents} - {
        "."
    }
    return sorted(found)


def _entry(path: str, moment: int, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.mtime, entry.mode = moment, mode
    entry.uname = entry.gname = "root"
    return entry


@functools.cache
def tarball(root: Path = ROOT) -> Package:
    """Pack the agent for install.sh; once a process.

    Raises:
        OSError, ValueError: the files of the agent are not beside this installation.
    """
    stem = f"adminset-agent-{version(root)}"
    members = {f"{stem}/{path}": content for path, content in files(root).items()}
    content = archive(members)
    return Package(f"{stem}.tar.gz", content, hashlib.sha256(content).hexdigest())


def script(portal: str, package: Package, root: Path = ROOT) -> str:
    """Fill install.sh with where the package is and what its checksum is.

    Args:
        portal: address without a slash at the end, already known to be harmless in a shell.

    Raises:
        ValueError: install.sh has no place for one of them.
    """
    text = (root / "agent/install.sh").read_text(encoding="utf-8")
    values = {
        "PORTAL": portal,
        "PACKAGE": package.name,
        "PACKAGE_SHA256": package.sha256,
    }
    for name, value in values.items():
        empty = f"\n{name}=''\n"
        if text.count(empty) != 1:
            raise ValueError(f"agent/install.sh has no line {name}=''")
        text = text.replace(empty, f"\n{name}='{value}'\n")
    return text

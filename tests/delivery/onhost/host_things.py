"""Hosts for tests of the programs: folders of this machine, packs made by hand, a shell that may be killed at any line."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from delivery.artefacts.packing import LISTS
from delivery.onhost.programs import program

MARK = "0123456789abcdef0123456789abcdef"
SHELLS = {"dash": ("/bin/sh",), "busybox": ("busybox", "sh")}


def sha256(data: bytes) -> str:
    """Give the SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True)
class Said:
    """How a program ended: exit code, what it told the portal, and what a person reads."""

    code: int
    told: Mapping[str, str]
    text: str


@dataclass
class Box:
    """A host: a deploy path, and the shell that its programs are run by."""

    root: Path
    shell: tuple[str, ...] = SHELLS["dash"]
    values: dict[str, str] = field(default_factory=dict)

    def environment(self, values: Mapping[str, object]) -> dict[str, str]:
        """Give the whole environment of a program."""
        own = {
            "AS_ROOT": str(self.root),
            "AS_MARK": MARK,
            "AS_DEPLOY": "17",
            "AS_WHO": "ann",
            "AS_ALONE_SECONDS": "2",
            "PATH": os.environ["PATH"],
        }
        return own | self.values | {name: str(value) for name, value in values.items()}

    def run(
        self,
        name: str,
        given: bytes | IO[bytes] = b"",
        text: str = "",
        **values: object,
    ) -> Said:
        """Run a program to its end; `text` in its place where there is one."""
        told = {"input": given} if isinstance(given, bytes) else {"stdin": given}
        done = subprocess.run(
            [*self.shell, "-c", text or program(name)],
            env=self.environment(values),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            start_new_session=True,
            timeout=120,
            check=False,
            **told,  # type: ignore[call-overload]
        )
        return said(done.returncode, done.stdout)

    @property
    def live(self) -> str:
        """The release that `current` leads to."""
        return str((self.root / "current").readlink()).removeprefix("releases/")

    def receive(self, pack: Pack, release: str, **values: object) -> Said:
        """Send a pack as the portal does."""
        return self.run("receive", pack.data, **(pack.values(release) | values))

    def deliver(self, pack: Pack, release: str, **values: object) -> None:
        """Do all of a deploy; each part must end well."""
        for name in ("claim", "receive", "activate", "finish"):
            told = pack.values(release) | values
            done = self.run(name, pack.data if name == "receive" else b"", **told)
            assert done.code == 0, f"{name}: {done}"


def said(code: int, output: bytes) -> Said:
    """Take what was told to the portal out of an output."""
    told, shown = {}, []
    for line in output.decode(errors="replace").splitlines():
        if line.startswith(f"@{MARK} "):
            _mark, key, value = line.split(" ", 2)
            told[key] = value
        else:
            shown.append(line)
    return Said(code, told, "\n".join(shown))


def log_of(box: Box) -> list[str]:
    """Give the words of the host's log, with where from and to."""
    lines = (box.root / "revisions.log").read_text().splitlines()
    rows = [dict(p.split("=", 1) for p in line.split("\t")[1:-1]) for line in lines]
    words = [line.split("\t")[-1] for line in lines]
    return [
        f"{word}: {row['from']} -> {row['to']}"
        for word, row in zip(words, rows, strict=True)
    ]


@dataclass(frozen=True)
class Pack:
    """A pack as delivery/artefacts/packs.py describes it."""

    data: bytes
    artefact: str
    raw: int
    lists: str

    def values(self, release: str) -> dict[str, object]:
        """Give what the program is told about it."""
        return {
            "AS_RELEASE": release,
            "AS_ARTEFACT": self.artefact,
            "AS_COMMIT": f"c-{release}",
            "AS_SEND_SHA256": sha256(self.data),
            "AS_SEND_SIZE": len(self.data),
            "AS_RAW_BYTES": self.raw,
            "AS_LISTS_SHA256": self.lists,
        }


def make_pack(
    files: Mapping[str, bytes],
    links: Mapping[str, str] | None = None,
    executable: tuple[str, ...] = (),
    tree: Mapping[str, bytes] | None = None,
) -> Pack:
    """Make a whole pack of files (path -> bytes); `tree` is what it holds in truth, where that differs."""
    links = links or {}
    sums = "".join(f"{sha256(data)}  ./{path}\n" for path, data in files.items())
    artefact = sha256((sums + repr(links)).encode())
    size = sum(map(len, files.values()))
    plan = {"format": 1, "artefact": artefact, "base": "", "files": len(files)}
    plan |= {"bytes": size, "block": 65536}
    texts = {
        "plan": "".join(f"{key}={value}\n" for key, value in plan.items()),
        "sums": sums,
        "links": "".join(f"./{path}\t{to}\n" for path, to in links.items()),
        "exec": "".join(f"./{path}\n" for path in executable),
        "same": "",
        "copies": "",
        "patches": "",
    }
    kept = io.BytesIO()
    with tarfile.open(fileobj=kept, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, text in texts.items():
            _add(tar, name, text.encode())
        folder = tarfile.TarInfo("tree")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        for path, data in (tree or files).items():
            _add(tar, f"tree/{path}", data, 0o755 if path in executable else 0o644)
        for path, to in links.items():
            link = tarfile.TarInfo(f"tree/{path}")
            link.type, link.linkname = tarfile.SYMTYPE, to
            tar.addfile(link)
    listed = "".join(texts[name] for name in LISTS)
    return Pack(kept.getvalue(), artefact, size, sha256(listed.encode()))


def _add(tar: tarfile.TarFile, name: str, data: bytes, mode: int = 0o644) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), mode
    tar.addfile(member, io.BytesIO(data))

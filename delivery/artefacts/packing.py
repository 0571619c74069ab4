"""Writes what a pack holds, in the order and form that delivery/artefacts/packs.py says (FORMAT 1)."""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.conf import settings

from delivery.artefacts import manifests, store
from delivery.artefacts.changes import Changes, Patch
from delivery.artefacts.compressing import Counted
from delivery.artefacts.deltas import Literal
from delivery.artefacts.manifests import Entry, Manifest

CHUNK_BYTES = 256 * 1024
# Members that come first, and say of all that follows what it has to be.
LISTS = ("plan", "sums", "links", "exec")


def write(out: Counted, new: Manifest, base: str, changes: Changes) -> str:
    """Write the pack of an artefact; give the SHA-256 of its lists, one after the other.

    Raises:
        DomainError: a file of the store is damaged.
    """
    lists = hashlib.sha256()
    with tarfile.open(
        fileobj=out, mode="w|", format=tarfile.GNU_FORMAT, bufsize=CHUNK_BYTES
    ) as tar:
        for name, lines in _texts(new, base, changes):
            data = "".join(f"{line}\n" for line in lines).encode()
            tar.addfile(_head(name, len(data)), io.BytesIO(data))
            if name in LISTS:
                lists.update(data)
        for number, patch in enumerate(changes.patches):
            _write_patch(tar, number, patch)
        for folder in _folders(new):
            tar.addfile(_head(f"tree/{folder}", 0, kind=tarfile.DIRTYPE, mode=0o755))
        for entry in changes.sent:
            _write_file(tar, entry)
        for path, entry in new.links.items():
            head = _head(f"tree/{path}", 0, kind=tarfile.SYMTYPE, mode=0o777)
            head.linkname = entry.target
            tar.addfile(head)
    return lists.hexdigest()


def _texts(
    new: Manifest, base: str, changes: Changes
) -> Iterator[tuple[str, list[str]]]:
    files = list(new.files.values())
    plan = {
        "format": 1,
        "artefact": new.sha256,
        "base": base,
        "files": len(files),
        "bytes": new.size,
        "block": settings.ARTEFACT_BLOCK_BYTES,
    }
    yield "plan", [f"{key}={value}" for key, value in plan.items()]
    yield "sums", [f"{entry.sha256}  ./{entry.path}" for entry in files]
    yield "links", [f"./{e.path}\t{e.target}" for e in new.links.values()]
    yield "exec", [f"./{entry.path}" for entry in files if entry.executable]
    yield "same", [f"./{path}" for path in changes.same]
    yield "copies", [f"{c.where}\t./{c.source}\t./{c.to}" for c in changes.copies]
    patches = enumerate(changes.patches)
    yield "patches", [f"{n}\t./{p.source}\t./{p.to.path}" for n, p in patches]


def _folders(new: Manifest) -> list[str]:
    """Name every folder of the artefact, each after the one it lies in."""
    found = set(new.folders)
    for entry in new.entries:
        parts = entry.path.split("/")[:-1]
        found |= {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
    return sorted(found)


def _head(
    name: str, size: int, *, kind: bytes = tarfile.REGTYPE, mode: int = 0o644
) -> tarfile.TarInfo:
    head = tarfile.TarInfo(name)
    head.size, head.type, head.mode = size, kind, mode
    return head


def _write_file(tar: tarfile.TarFile, entry: Entry) -> None:
    mode = 0o755 if entry.executable else 0o644
    path = store.blob_path(entry.sha256)
    head = _head(f"tree/{entry.path}", entry.size, mode=mode)
    if not path.is_file() or path.stat().st_size != entry.size:
        path.unlink(missing_ok=True)
        raise manifests.broken(entry.sha256)
    with path.open("rb") as file:
        # When these bytes came: what stays keeps its time, what changes gets a later one. Web servers go by that.
        head.mtime = int(os.fstat(file.fileno()).st_mtime)
        checked = _Checked(file, entry)
        tar.addfile(head, checked)
        checked.judge(path)


class _Checked:
    """Reads a file of the store and sees that it is what it was."""

    def __init__(self, file: IO[bytes], entry: Entry) -> None:
        self._file, self._entry, self._digest = file, entry, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read some more."""
        data = self._file.read(size)
        self._digest.update(data)
        return data

    def judge(self, path: Path) -> None:
        """Raise DomainError where it is damaged; it goes, so that a build puts it back."""
        if self._digest.hexdigest() != self._entry.sha256:
            path.unlink(missing_ok=True)
            raise manifests.broken(self._entry.sha256)


def _write_patch(tar: tarfile.TarFile, number: int, patch: Patch) -> None:
    own = patch.block != settings.ARTEFACT_BLOCK_BYTES
    ops = [f"b {patch.block}\n"] if own else []
    literals: list[Literal] = []
    for piece in patch.pieces:
        if isinstance(piece, Literal):
            ops.append(f"l {len(literals)}\n")
            literals.append(piece)
        else:
            ops.append(f"c {piece.skip} {piece.count}\n")
    data = "".join(ops).encode()
    tar.addfile(_head(f"patch/{number}/ops", len(data)), io.BytesIO(data))
    with store.blob_path(patch.to.sha256).open("rb") as file:
        for count, literal in enumerate(literals):
            file.seek(literal.start)
            size = literal.end - literal.start
            tar.addfile(_head(f"patch/{number}/{count}", size), file)

"""Packs: what is sent to a host so that it can put an artefact together, whole or from one that it has.

FORMAT 1. A pack is a tar archive (GNU format, owner 0:0), as a whole compressed with gzip or not: the first two bytes say it
(1f 8b), and `Pack.compressed`. Unpack it into an empty folder of its own; `tree` is what becomes the release. Names hold no
control characters (so no tab, no newline) and no backslash; every path in every list begins with `./`, is relative to the
release, and has no `..` part. Members, in this order, each text one always there, maybe empty:

    plan      lines key=value: format=1, artefact=<SHA-256>, base=<SHA-256 or empty>, files=<n>, bytes=<n>, block=<n>
    sums      of each plain file of the whole artefact `<SHA-256>  ./path`: as `sha256sum -c` reads it
    links     of each symbolic link of the whole artefact `./path<TAB>target`
    exec      `./path` of each file that may be executed (mode 755); every other file has 644, folders 755
    same      `./path` of each file that is in the base under the same path with the same bytes
    copies    `<where><TAB>./from<TAB>./to`: copy a file; where: `base` (from the base) or `new` (from the new tree itself)
    patches   `<n><TAB>./from<TAB>./to`: make the file `to` of the file `from` of the base by patch/<n>
    patch/<n>/ops    lines in order: `b <bytes>`: blocks of this patch are so large, not `block`; `c <skip> <count>`: so many blocks of
              the base's file, after skipping so many (dd bs= skip= count=); `l <k>`: the whole file patch/<n>/<k>
    patch/<n>/<k>    bytes
    tree/...  folders (those that would be empty, and all above files), plain files with their mode, symbolic links

What the host does: (1) unpack; (2) with a base: `same` (tar -C base -cf - -T same | tar -C tree -xf -), folders of `to` that are
missing (mkdir -p), `copies` from base, `patches`, then `copies` from new; (3) chmod 644 all plain files and 755 those in `exec`;
(4) `cd tree`, `sha256sum -c sums` or as much by OpenSSL, and readlink of each of `links`; (5) rename tree. A pack without base has
`same`, `copies` from base and `patches` empty; `copies` from new may be there (the same bytes twice in one artefact are sent once). What lies in the base beyond
its artefact (logs, links to shared folders, REVISION) is never copied. Where (4) fails with a base, the whole pack is the way out.
"""

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from adminset.growing_files import sync_folder
from delivery.artefacts import store
from delivery.artefacts.changes import changes_between
from delivery.artefacts.compressing import Counted, is_worth_it
from delivery.artefacts.manifests import Manifest
from delivery.artefacts.packing import write

logger = logging.getLogger(__name__)

# A pack that was hashed so lately by this process is not hashed again.
HASHED_SECONDS = 300.0
_hashed: dict[tuple[Path, int, str], float] = {}


@dataclass(frozen=True)
class Pack:
    """A pack in the store.

    Attributes:
        sha256, size: of the file `path`, as it is sent. raw_size: unpacked archive in bytes; compressed: by gzip.
        artefact, base: SHA-256 of manifests; base "": the whole artefact. whole_size: bytes of the artefact on the host.
        lists_sha256: of `plan`, `sums`, `links` and `exec`, one after the other: who knows it can judge all that comes by them.
    """

    path: Path
    sha256: str
    size: int
    raw_size: int
    compressed: bool
    artefact: str
    base: str
    whole_size: int
    lists_sha256: str

    def mark(self) -> dict[str, Any]:
        """Say by what `at_hand` knows this very file again."""
        inode = self.path.stat().st_ino
        return {"sha256": self.sha256, "size": self.size, "inode": inode}


def at_hand(new: str, base: str, mark: Mapping[str, Any] | None) -> Pack | None:
    """Give a pack that `pack_for` gave lately, by its mark, while its file is still that one.

    It waits for nobody and reads no pack: for what holds rows of the database meanwhile. None: ask `pack_for`, elsewhere.
    """
    pack = _noted(new, base)
    try:
        return pack if pack is not None and pack.mark() == mark else None
    except OSError:
        return None


def pack_for(new: str, base: str | None = None) -> Pack:
    """Give the pack that makes an artefact on a host, out of nothing or out of a base; made once, then kept for a while.

    It may take minutes: it hashes a pack that was kept, and waits while the store is cleared.

    Raises:
        DomainError: the artefact or the base is not in the store any more, or damaged.
    """
    base = base or ""
    with store.holding(), store.telling():
        kept = _kept(new, base)
        return kept or _made(store.manifest(new), base)


def _name(new: str, base: str) -> str:
    return f"{new[:32]}-{base[:32] or 'whole'}-{settings.ARTEFACT_BLOCK_BYTES}"


def _folder() -> Path:
    folder = store.root() / "packs"
    folder.mkdir(mode=0o750, exist_ok=True)
    return folder


def _noted(new: str, base: str) -> Pack | None:
    path = _folder() / f"{_name(new, base)}.pack"
    try:
        about = json.loads(path.with_suffix(".json").read_bytes())
        os.utime(path)
        about["path"] = path
        pack = Pack(**about)
    except (OSError, ValueError, TypeError):
        return None
    return pack if (pack.artefact, pack.base) == (new, base) else None


def _kept(new: str, base: str) -> Pack | None:
    pack = _noted(new, base)
    return pack if pack is not None and _is_whole(pack) else None


def _is_whole(pack: Pack) -> bool:
    """Hash a pack again, unless that was done just now: disks fail, and a power cut leaves files of the right size."""
    about = pack.path.stat()
    seen = (pack.path, about.st_ino, pack.sha256)
    if time.monotonic() - _hashed.get(seen, -HASHED_SECONDS) < HASHED_SECONDS:
        return about.st_size == pack.size
    with pack.path.open("rb") as file:
        whole = hashlib.file_digest(file, "sha256").hexdigest() == pack.sha256
    if whole:
        _sure_of(pack)
    else:
        logger.warning("The pack %s is damaged, it is made anew.", pack.path.name)
    return whole


def _sure_of(pack: Pack) -> None:
    """Remember that a pack was hashed, or written, just now; forget what was so too long ago."""
    now = time.monotonic()
    for old in [one for one, when in _hashed.items() if now - when > HASHED_SECONDS]:
        _hashed.pop(old, None)
    _hashed[(pack.path, pack.path.stat().st_ino, pack.sha256)] = now


def doubt(artefact: str, base: str = "") -> None:
    """Take away a pack that a host could not use, where it is damaged; call it before pack_for is asked again."""
    _hashed.clear()
    with store.holding(), store.telling():
        if _kept(artefact, base) is None:
            (_folder() / f"{_name(artefact, base)}.pack").unlink(missing_ok=True)


def _made(new: Manifest, base: str) -> Pack:
    changes = changes_between(new, store.manifest(base) if base else None)
    compressed = is_worth_it(changes.sent, len(new.entries) + changes.pieces)
    handle, name = tempfile.mkstemp(dir=_folder(), suffix=".new")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            out = Counted(file, compressed=compressed)
            lists = write(out, new, base, changes)
            out.close()
            file.flush()
            os.fsync(file.fileno())
        path = _folder() / f"{_name(new.sha256, base)}.pack"
        pack = Pack(
            path=path,
            sha256=out.sha256,
            size=out.size,
            raw_size=out.raw_size,
            compressed=compressed,
            artefact=new.sha256,
            base=base,
            whole_size=new.size,
            lists_sha256=lists,
        )
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    _note(pack)
    sync_folder(path.parent)
    _sure_of(pack)
    return pack


def _note(pack: Pack) -> None:
    handle, name = tempfile.mkstemp(dir=_folder(), suffix=".new")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(asdict(pack) | {"path": ""}, file)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(pack.path.with_suffix(".json"))


def clean() -> int:
    """Take away the packs that nobody asked for lately; give how many."""
    old = time.time() - settings.ARTEFACT_PACK_HOURS * 3600
    went = 0
    with store.holding(alone=True):
        for path in _folder().iterdir():
            if path.suffix != ".json" and path.stat().st_mtime < old:
                path.unlink()
                path.with_suffix(".json").unlink(missing_ok=True)
                went += 1
    return went

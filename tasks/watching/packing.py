"""Outputs as files to take away: one of them, or all of a run as a .tar.gz that is made while it is sent."""

import re
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tasks.models import RunHost
from tasks.output import WHOLE_RUN, path_of

PART_BYTES = 256 * 1024
GZIP = 16 + zlib.MAX_WBITS
LEVEL = 3
STRANGE = re.compile(r"[^\w.-]+", re.ASCII)


def file_name(run_id: int, name: str = "") -> str:
    """Name the file of a host's output, or of the whole run's; nothing of a strange host name stays in it."""
    host = STRANGE.sub("_", name).strip(".")[:120]
    return f"run-{run_id}-{host}.log" if host else f"run-{run_id}.log"


def parts_of(path: Path, size: int | None = None) -> Iterator[bytes]:
    """Give a file part by part; no more than `size`, for it may grow meanwhile."""
    left = size
    with path.open("rb") as file:
        while left is None or left > 0:
            data = file.read(PART_BYTES if left is None else min(PART_BYTES, left))
            if not data:
                return
            left = None if left is None else left - len(data)
            yield data


def archive(run_id: int, rows: Iterable[RunHost], *, whole: bool) -> Iterator[bytes]:
    """Give the outputs of hosts as a .tar.gz, part by part; a host without output is left out."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    for part in _tar(_files(run_id, rows, whole=whole)):
        packed = packer.compress(part)
        if packed:
            yield packed
    yield packer.flush()


def _files(
    run_id: int, rows: Iterable[RunHost], *, whole: bool
) -> Iterator[tuple[str, Path]]:
    if whole:
        yield file_name(run_id), path_of(run_id, WHOLE_RUN)
    taken: set[str] = set()
    for row in rows:
        name = file_name(run_id, row.host_name)
        name = name if name not in taken else file_name(run_id, f"{row}-{row.pk}")
        taken.add(name)
        yield name, path_of(run_id, row.pk)


def _tar(files: Iterable[tuple[str, Path]]) -> Iterator[bytes]:
    for name, path in files:
        if not path.is_file():
            continue
        info, stat = tarfile.TarInfo(name), path.stat()
        info.size, info.mtime, info.mode = stat.st_size, int(stat.st_mtime), 0o600
        if not info.size:
            continue
        yield info.tobuf(tarfile.PAX_FORMAT)
        sent = 0
        for part in parts_of(path, info.size):
            sent += len(part)
            yield part
        # A file that became shorter meanwhile, and the rest of its last block.
        yield bytes(info.size - sent + -info.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)

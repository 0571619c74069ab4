"""The folder of a spool: held by one agent at a time, and what a former one left in it."""

import os
from pathlib import Path
from typing import List

from agent.errors import ConfigError
from agent.locks import lock
from agent.segment import Segment


def held(folder: Path) -> int:
    """Make the folder and hold it; gives the descriptor that holds it.

    OSError: the disk refuses. ConfigError: another agent holds it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(str(folder / "lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        lock(descriptor)
    except OSError as error:
        os.close(descriptor)
        raise ConfigError(
            f"Another agent already uses the spool {folder}: stop it, "
            "or give this one another spool_dir and credential_file."
        ) from error
    return descriptor


def segments_in(folder: Path) -> List[Segment]:
    """The segments, the oldest first; a draft that a crash left goes."""
    try:
        for draft in folder.glob("*.jsonl.new"):
            draft.unlink()
        paths = [path for path in folder.glob("*.jsonl") if path.stem.isdigit()]
    except OSError:
        return []
    return sorted(map(Segment.found, paths), key=lambda segment: segment.number)

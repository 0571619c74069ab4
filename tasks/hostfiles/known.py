"""What the trail keeps of a thing before it goes or changes: size and hash of a file, count and size of a folder, up to a bound."""

import time
from collections import deque
from contextlib import closing
from typing import Any

from tasks.hostfiles import paths
from tasks.hostfiles.door import Files
from tasks.hostfiles.listing import FILE, FOLDER, kind_of
from tasks.ssh.hashes import sha256_there
from tasks.ssh.sftp_wire import Attributes, SftpError

# Files are hashed for the trail up to here, and no longer than so.
HASHED_BYTES = 64 * 2**20
HASH_SECONDS = 10.0
# Folders are counted for the trail up to so many names, and no longer than so.
COUNTED_MOST = 10_000
COUNT_SECONDS = 5.0


def told_of(files: Files, path: bytes, found: Attributes) -> dict[str, Any]:
    """Give what the trail keeps of a thing: its kind, where it is no file; of a file and a folder how much it is."""
    kind = kind_of(found.mode)
    if kind == FOLDER:
        return {"kind": kind, **_counted(files, path)}
    if kind != FILE:
        return {"kind": kind}
    size, digest = found.size or 0, None
    if size <= HASHED_BYTES:
        digest = sha256_there(files.connection, path, HASH_SECONDS)
    return {"size": size, "sha256": digest}


def _counted(files: Files, folder: bytes) -> dict[str, Any]:
    """Count the files, folders and links below a folder and their bytes; `at_least` where there may be more."""
    count = size = 0
    is_all, due = True, time.monotonic() + COUNT_SECONDS
    waiting = deque([folder])
    while waiting:
        where = waiting.popleft()
        try:
            with closing(files.sftp.entries(where)) as entries:
                for entry in entries:
                    if count >= COUNTED_MOST or time.monotonic() > due:
                        return {"count": count, "size": size, "at_least": True}
                    count += 1
                    kind = kind_of(entry.attributes.mode)
                    if kind == FILE:
                        size += entry.attributes.size or 0
                    elif kind == FOLDER:
                        waiting.append(paths.join(where, entry.name))
        except SftpError:
            # What the login may not look into is not counted.
            is_all = False
    return {"count": count, "size": size, "at_least": None if is_all else True}

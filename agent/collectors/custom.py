"""Values of others: text files in Prometheus' format, dropped into a folder."""

import logging
import os
import stat
import time
from pathlib import Path
from typing import Dict, List

from agent import exposition
from agent.collectors.series import Field, Values, series
from agent.logs import quoted
from agent.tables import Found

SECONDS = 15.0
MOST_FILES, MOST_BYTES, MOST_VALUES = 32, 256 << 10, 500
FIELDS = (
    Field("custom.file_age_seconds", "s", "since the file `file=...` was written"),
)
log = logging.getLogger(__name__)


class Folder:
    """Reads `*.prom`; write them under another name and rename them, as always."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.refused: Dict[str, str] = {}

    def collect(self) -> Found:
        """A file that is wrong brings nothing, and the log says why, once."""
        values: Values = {}
        names = self.names()
        for name in names[:MOST_FILES]:
            try:
                values.update(read(Path(self.path) / name))
            except (OSError, ValueError) as error:
                self.refuse(name, f"{type(error).__name__}: {error}")
            else:
                self.refused.pop(name, None)
        kept = dict(list(values.items())[:MOST_VALUES])
        dropped = len(values) - len(kept)
        left_out = {"custom": dropped, "custom_files": len(names[MOST_FILES:])}
        return Found(values=kept, left_out=left_out)

    def names(self) -> List[str]:
        if not self.path:
            return []
        try:
            found = os.listdir(self.path)  # noqa: PTH208 - 3.6 to 3.13
        except OSError:
            return []
        return sorted(name for name in found if name.endswith(".prom"))

    def refuse(self, name: str, reason: str) -> None:
        if self.refused.get(name) != reason:
            self.refused[name] = reason
            text = "event=custom_file_refused name=%s error=%s"
            log.warning(text, quoted(name), quoted(reason))


def read(path: Path) -> Values:
    """The file's values and its age; raises OSError, ValueError.

    Only plain files: a pipe would hang, and a link could lead the agent astray.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(str(path), flags)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a plain file")
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES} bytes")
    values = exposition.parse(raw.decode("utf-8"))
    age = round(max(time.time() - status.st_mtime, 0.0), 3)
    return dict(values, **{series("custom.file_age_seconds", f"file={path.name}"): age})

"""Sample numbers: count up for each boot and are never used twice in it."""

import json
import logging
from pathlib import Path
from typing import Tuple

from agent.files import read_text, write_private
from agent.identity import since_boot
from agent.logs import quoted

BLOCK = 100
log = logging.getLogger(__name__)


class Sequence:
    """Numbers are reserved on disk a block at a time: a crash leaves a gap at most."""

    def __init__(self, path: Path, boot_id: str) -> None:
        self.path = path
        self.boot_id = boot_id
        self.last = 0
        self.reserved = 0

    def next(self) -> int:
        if self.last >= self.reserved:
            self._reserve()
        self.last += 1
        return self.last

    def _reserve(self) -> None:
        boot_id, reserved = self._stored()
        if boot_id == self.boot_id:
            self.last = max(self.last, reserved)
        self.reserved = self.last + BLOCK
        try:
            self._store()
        except OSError as error:
            self._continue_without_disk(error)

    def _stored(self) -> Tuple[str, int]:
        try:
            fields = json.loads(read_text(self.path) or "{}")
            return str(fields["boot_id"]), int(fields["reserved"])
        except (ValueError, KeyError, TypeError):
            return "", 0

    def _store(self) -> None:
        fields = {"boot_id": self.boot_id, "reserved": self.reserved}
        write_private(self.path, json.dumps(fields))

    def _continue_without_disk(self, error: OSError) -> None:
        """Hundredths of seconds since boot: ahead of any number counted so far."""
        self.last = max(self.last, since_boot() // 10)
        self.reserved = self.last + BLOCK
        log.warning("event=sequence_not_saved error=%s", quoted(error))

"""Looks at the processes of this machine while something runs: which programs, and whether a secret stands where others can read it."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self


class ProcWatch:
    """Reads /proc all the while; `seen` holds the names of programs, `leaks` the lines and environments that had a secret."""

    def __init__(self, *secrets: str) -> None:
        self._secrets = [secret.encode() for secret in secrets]
        self.seen: set[str] = set()
        self.leaks: list[bytes] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        before = {name for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208 - names
        while not self._over.wait(0.002):
            for name in os.listdir("/proc"):  # noqa: PTH208 - names
                if name.isdigit() and name not in before:
                    with suppress(OSError):
                        self._look(Path("/proc", name))

    def _look(self, folder: Path) -> None:
        line = (folder / "cmdline").read_bytes()
        told = line + b"\0" + (folder / "environ").read_bytes()
        self.seen.add(os.fsdecode(line.partition(b"\0")[0]).rpartition("/")[2])
        self.leaks += [told for secret in self._secrets if secret in told]

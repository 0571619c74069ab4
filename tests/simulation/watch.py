"""Looks at the memory and the CPU time of processes while something else runs."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import psutil

MIB = 2**20


@dataclass
class Seen:
    """One process over time.

    Attributes:
        megabytes: RSS at each look.
        cpu: seconds of CPU time used between the first look and the last.
    """

    megabytes: list[float] = field(default_factory=list)
    cpu: float = 0.0
    _first: float = -1.0

    def look(self, process: psutil.Process, *, alone: bool = False) -> None:
        """Look once at a process and its children; one that is gone keeps what was seen."""
        try:
            children = [] if alone else process.children(recursive=True)
            family = [process, *children]
            times = [each.cpu_times() for each in family]
            memory = sum(each.memory_info().rss for each in family)
        except psutil.Error:
            return
        self.megabytes.append(memory / MIB)
        used = sum(each.user + each.system for each in times)
        if self._first < 0:
            self._first = used
        self.cpu = used - self._first

    def at(self, share: float) -> float:
        """Give the memory after that share (0 to 1) of the time, in MiB."""
        if not self.megabytes:
            return 0.0
        return self.megabytes[
            min(round(share * len(self.megabytes)), len(self.megabytes) - 1)
        ]


class Watch:
    """Use as a context: looks each few seconds, and a last time at the end."""

    def __init__(
        self, processes: Mapping[str, psutil.Process], every: float = 5
    ) -> None:
        self._processes = dict(processes)
        self._every = every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_on, daemon=True)
        self._began = time.monotonic()
        self.seconds = 0.0
        self.seen = {name: Seen() for name in (*processes, "generator")}
        self._me = psutil.Process()

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        self.seconds = time.monotonic() - self._began

    def lines(self) -> list[str]:
        """Give the memory over time as lines of CSV: seconds, and MiB of each."""
        rows = zip(*(seen.megabytes for seen in self.seen.values()), strict=False)
        head = ",".join(("seconds", *self.seen))
        body = [
            ",".join([f"{i * self._every:.0f}", *(f"{each:.1f}" for each in row)])
            for i, row in enumerate(rows)
        ]
        return [head, *body]

    def _look_on(self) -> None:
        while True:
            for name, process in self._processes.items():
                self.seen[name].look(process)
            # The portal is a child of this one.
            self.seen["generator"].look(self._me, alone=True)
            if self._over.is_set():
                return
            self._over.wait(self._every)

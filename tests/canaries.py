"""Secrets that tests put into the portal, and a search for them wherever they must not stand: nobody is shown one, only its name."""

import base64
import html
import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import quote, quote_plus

import psutil

from adminset.redaction import redact

SHORTEST_LINE = 16
# Fewer characters of base64 than that are found by chance.
SHORTEST_ENCODED = 10


@dataclass(frozen=True)
class Leak:
    """A secret in clear: its name, and where it stands."""

    name: str
    place: str


@dataclass
class Canaries:
    """Secrets by name, with all the spellings in which they count as being in clear."""

    values: dict[str, str] = field(default_factory=dict)
    _needles: list[tuple[bytes, str]] = field(default_factory=list)

    def add(self, name: str, text: str) -> str:
        """Remember a secret; gives it back."""
        assert len(text) >= 8, f"{name} is too short to be looked for"
        if self.values.get(name) != text:
            self.values[name] = text
            known = {needle for needle, _ in self._needles}
            self._needles += [(n, name) for n in sorted(_needles(text) - known)]
        return text

    def found_in(self, data: bytes) -> set[str]:
        """Name the secrets that stand in some bytes."""
        return {name for needle, name in self._needles if needle in data}

    def leaks(self, places: Iterable[tuple[str, bytes]]) -> list[Leak]:
        """Name what stands where, of (place, what it holds)."""
        return [
            Leak(name, redact(place, self.values.values()))
            for place, data in places
            for name in sorted(self.found_in(data))
        ]


def _needles(text: str) -> set[bytes]:
    """Give the spellings of a secret: as it is, by line, without its public prefix, escaped, quoted, in hex and base64."""
    lines = [line.strip() for line in text.splitlines()]
    long_lines = (one for one in lines if len(one) >= SHORTEST_LINE)
    plain = {text, *(one for one in long_lines if not one.startswith("-----"))}
    head, dot, tail = text.partition(".")
    if dot and len(tail) >= 40 and all(c in "0123456789abcdef" for c in head):
        plain = {tail}
    spelled = set(plain)
    for one in plain:
        spelled.update({json.dumps(one)[1:-1], repr(one)[1:-1], html.escape(one)})
        spelled.update({quote(one), quote(one, safe=""), quote_plus(one)})
        spelled.update({one.encode().hex(), *_in_base64(one.encode())})
    return {one.encode() for one in spelled}


def _in_base64(data: bytes) -> set[str]:
    """Give what of base64 shows these bytes wherever they begin within a longer text."""
    found = set()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        mixed_end = (before + len(data)) % 3 != 0
        core = encoded[(0, 2, 3)[before] : len(encoded) - mixed_end]
        if len(core) >= SHORTEST_ENCODED:
            found.update({core, core.replace("+", "-").replace("/", "_")})
    return found


def command_lines() -> Iterator[tuple[str, bytes]]:
    """Give the command line of every process of this machine: any bytes, of processes that may end while one looks."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            line = " ".join(process.cmdline())
            yield f"command line of {process.name()}", os.fsencode(line)


def environments(root: psutil.Process) -> Iterator[tuple[str, bytes]]:
    """Give the environment of every process below one."""
    for process in root.children(recursive=True):
        with suppress(psutil.Error, OSError):
            values = process.environ()
            yield f"environment of {process.name()}", repr(values).encode()


@dataclass
class Sighting:
    """What was seen of the processes while they were watched."""

    leaks: set[Leak] = field(default_factory=set)
    lines: set[str] = field(default_factory=set)


@contextmanager
def watched(
    canaries: Canaries, root: psutil.Process | None = None
) -> Iterator[Sighting]:
    """Look at all command lines, and at the environments below a process (this one), again and again in a thread."""
    below = root or psutil.Process(os.getpid())
    seen, done = Sighting(), threading.Event()

    def look() -> None:
        while not done.is_set():
            # A process that ends may take the list of them along: then it is made anew.
            with suppress(psutil.Error, OSError):
                for place in chain(command_lines(), environments(below)):
                    seen.leaks.update(canaries.leaks([place]))
                    seen.lines.add(os.fsdecode(place[1]))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        done.set()
        watcher.join()

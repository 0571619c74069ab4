"""The process of an Ansible run, seen from the portal: started, told its work, listened to, ended with all that it started."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil

from tasks.ansible_files import RunFiles, command_line, environment
from tasks.ansible_messages import LONGEST_MESSAGE
from tasks.ansible_options import RunOptions
from tasks.ansible_stop import family, stop

PROJECT = Path(__file__).resolve().parent.parent
TICK_SECONDS = 0.2
CENSUS_SECONDS = 1.0


class Child:
    """The process of a run, and every process that was ever seen below it."""

    def __init__(self, files: RunFiles, callback: str, options: RunOptions) -> None:
        """Start it; raises OSError where it, or what is to stand before it, cannot be started."""
        self._files = files
        self._seen: set[psutil.Process] = set()
        self._counted = 0.0
        self._errors = files.directory / "errors"
        places = {"{directory}": files.directory, "{sockets}": files.sockets}
        wrapper = [_named(word, places) for word in options.wrapper]
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(  # noqa: S603 - no shell, words of ours and of the settings
                [*wrapper, sys.executable, "-m", "tasks.ansible_child"],
                cwd=PROJECT,
                env=environment(files, callback, options),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def tell(self, options: RunOptions) -> None:
        """Give the child its work. Its stdin stays open: the end of it means our end."""
        files = self._files
        job = {
            "forks": options.forks,
            "command_line": command_line(files, options),
            "directory": str(files.directory),
            "inventory": str(files.inventory()),
            "sockets": str(files.sockets),
            "notes": str(files.stop_notes()),
        }
        with suppress(OSError):
            _pipe(self._process.stdin).write(json.dumps(job).encode() + b"\n")
            _pipe(self._process.stdin).flush()

    def messages(self) -> Iterator[dict[str, Any] | None]:
        """Give each message of the child, and None five times a second in between."""
        pipe = _pipe(self._process.stdout)
        rest = b""
        ticked = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while True:
                if time.monotonic() - ticked > TICK_SECONDS:
                    ticked = time.monotonic()
                    self._census()
                    yield None
                if not selector.select(TICK_SECONDS):
                    continue
                chunk = os.read(pipe.fileno(), 64 * 1024)
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)

    def _census(self) -> None:
        """Remember who is there, for the case that the child is killed under us."""
        if time.monotonic() - self._counted > CENSUS_SECONDS:
            self._counted = time.monotonic()
            self._seen |= family(self._process.pid)

    def stop(self, *, in_flight: bool) -> list[str]:
        """End all processes of the run; return hosts that did not confirm their end."""
        notes = self._files.stop_notes() if in_flight else None
        doubtful = stop(self._seen | family(self._process.pid), notes)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                _pipe(pipe).close()
        self._process.wait()
        return doubtful

    def last_words(self) -> str:
        """Return the end of what the child wrote to stderr."""
        return self._errors.read_bytes()[-LONGEST_MESSAGE:].decode(errors="replace")


def _named(word: str, places: dict[str, Path]) -> str:
    for mark, place in places.items():
        word = word.replace(mark, str(place))
    return word


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the child was started without this pipe")
    return pipe

"""Speaks to OpenSSH's process: what is given to the script, the file once it is asked for, its output, its end."""

from __future__ import annotations

import logging
import os
import selectors
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, cast

from tasks.ssh.channels import AFTERMATH_SECONDS, Ending, too_late
from tasks.ssh.openssh import Started
from tasks.ssh.terms import Stream, Terms

if TYPE_CHECKING:
    from tasks.ssh.streams import Listener, Source

TICK_SECONDS = 0.2
READ_BYTES = 64 * 1024
# One turn puts no more into the pipe, so that output is heard in between.
WRITE_BYTES = 1024 * 1024
logger = logging.getLogger(__name__)


class Exchange:
    """One order by one process of OpenSSH, from its start to its end."""

    def __init__(
        self,
        started: Started,
        given: bytes,
        source: Source,
        listener: Listener,
        terms: Terms,
    ) -> None:
        self._started = started
        self._process: subprocess.Popen[bytes] = started.process
        self._given = given
        self._source = source
        self._listener = listener
        self._terms = terms
        self._sent: int | None = None
        self._selector = selectors.DefaultSelector()
        self._began = self._heard = time.monotonic()

    def run(self, is_there: Callable[[], bool]) -> Ending:
        """Go on until the process has ended, or somebody or the clock ends it.

        Args:
            is_there: whether the script has begun on the host.
        """
        pipes: dict[Any, Stream] = {
            self._process.stdout: "stdout",
            self._process.stderr: "stderr",
        }
        for pipe, stream in pipes.items():
            self._selector.register(pipe, selectors.EVENT_READ, stream)
        signed_in = False
        with self._source.path.open("rb") as file, self._selector:
            while True:
                ending = self._turn(file)
                if ending is not None:
                    return ending
                if not signed_in and is_there():
                    signed_in = True
                    self._started.forget_secrets()

    def _turn(self, file: IO[bytes]) -> Ending | None:
        try:
            if self._terms.cancelled():
                return "cancelled"
            self._offer()
            for key, _events in self._selector.select(TICK_SECONDS):
                if key.data == "stdin":
                    self._write(file)
                else:
                    self._read(key)
        except Exception:
            logger.exception("the output of a program cannot be taken in")
            return "broken"
        now = time.monotonic()
        if self._is_over(now):
            return "ended"
        return too_late(self._terms, now - self._began, now - self._heard)

    def _is_over(self, now: float) -> bool:
        pipes = (self._process.stdout, self._process.stderr)
        reading = any(pipe in self._selector.get_map() for pipe in pipes if pipe)
        if not reading:
            # It has closed both; only its exit code is missing.
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(TICK_SECONDS)
        ended = self._process.poll() is not None
        return ended and (not reading or now - self._heard > AFTERMATH_SECONDS)

    def _read(self, key: selectors.SelectorKey) -> None:
        data = os.read(key.fd, READ_BYTES)
        if not data:
            self._selector.unregister(key.fileobj)
            return
        self._heard = time.monotonic()
        self._terms.on_output(data, key.data)

    def _offer(self) -> None:
        """Look at stdin while there is something to write, and close it behind the last byte."""
        stdin = self._process.stdin
        if stdin is None or stdin.closed:
            return
        if not self._given and self._sent is None:
            self._sent = self._listener.ready
            if self._sent is not None:
                self._listener.count(self._sent)
        wanted = bool(self._given) or (
            self._sent is not None and self._sent < self._source.size
        )
        looking = stdin in self._selector.get_map()
        if wanted and not looking:
            self._selector.register(stdin, selectors.EVENT_WRITE, "stdin")
        elif looking and not wanted:
            self._selector.unregister(stdin)
        if self._sent is not None and not wanted:
            stdin.close()

    def _write(self, file: IO[bytes]) -> None:
        stdin = cast("IO[bytes]", self._process.stdin)
        try:
            if self._given:
                self._given = self._given[os.write(stdin.fileno(), self._given) :]
            elif self._sent is not None:
                most = min(WRITE_BYTES, self._source.size - self._sent)
                done = os.sendfile(stdin.fileno(), file.fileno(), self._sent, most)
                # The file has become shorter: the program is told the end, and finds that something is missing.
                self._sent = self._sent + done if done else self._source.size
                self._listener.count(self._sent)
        except BlockingIOError:
            return
        except BrokenPipeError:
            # Who does not read its stdin says by its exit code why.
            self._selector.unregister(stdin)
            stdin.close()

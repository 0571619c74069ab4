"""Runs a script on a host and gives it a file on stdin, from where the script says on: by OpenSSH, or else by paramiko."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from tasks.ssh.channels import Ending, follow, start, stop, stop_from_outside
from tasks.ssh.commands import (
    Clock,
    End,
    Marks,
    cut_short,
    finished,
    refused_end,
)
from tasks.ssh.connect import FAILURES, Channel
from tasks.ssh.jumps import dial
from tasks.ssh.lines import Order, Script, refusal, script_order
from tasks.ssh.openssh import Client
from tasks.ssh.piping import Exchange
from tasks.ssh.pool import connected
from tasks.ssh.terms import OnOutput, Stream, Terms
from tasks.ssh.words import become_refusal, mark_sentence
from tasks.targets import CommandResult, HostRefusedError, Target

CHUNK_BYTES = 256 * 1024
# What ssh returns where it, and not the program, went wrong.
SSH_FAILED = 255
logger = logging.getLogger(__name__)


class Listener(Protocol):
    """Who hears the program: says from which byte on it wants the file, and is told how far it is."""

    @property
    def ready(self) -> int | None:
        """From which byte on; None until the program has said so."""

    def count(self, sent: int) -> None:
        """Take in how many bytes are on their way or there."""


@dataclass(frozen=True)
class Source:
    """A file of this machine, and its size in bytes."""

    path: Path
    size: int


class Beginning(Marks):
    """Hands output over as Marks does; what came on stderr before the script was there is kept apart: it may be ssh's own."""

    def __init__(self, mark: str, on_output: OnOutput) -> None:
        super().__init__(mark, on_output)
        self.there = False
        self.before = b""
        self._sign = f"{mark} there\n".encode()

    def __call__(self, data: bytes, stream: Stream) -> None:
        """Take a piece of output."""
        if stream == "stderr" and not self.there:
            said, sign, data = (self.before + data).partition(self._sign)
            self.before, self.there = said[-64 * 1024 :], bool(sign)
        if data:
            super().__call__(data, stream)

    def let_go(self) -> None:
        """Hand over what was kept apart."""
        before, self.before = self.before, b""
        if before:
            super().__call__(before, "stderr")


@dataclass(frozen=True)
class Feed:
    """A script, the file for its stdin, and who hears it; the mark of its processes (a new one where it is empty).

    `client` is OpenSSH's; where it does not come through, or there is none, paramiko does it.
    """

    script: Script
    source: Source
    listener: Listener
    token: str = ""
    client: Client | None = None


@dataclass(frozen=True)
class _Job:
    target: Target
    feed: Feed
    terms: Terms

    def order(self) -> Order:
        login, feed = self.target.login, self.feed
        return script_order(login, feed.script, feed.token, reads=True)


def run_stream(target: Target, feed: Feed, terms: Terms) -> CommandResult:
    """Run a script on a host; its file goes to its stdin from where it asks for it. Otherwise as `run_script`.

    Args:
        terms: `on_output` must be the listener's ear.
    """
    clock = Clock()
    if words := become_refusal(target) or refusal(feed.script):
        return clock.result("failed", words)
    job = _Job(target, feed, terms)
    try:
        if terms.cancelled():
            words = f"Cancelled before {target.label} was reached."
            return clock.result("cancelled", words)
        end = _by_openssh(job, feed.client) if feed.client is not None else None
        return clock.result(*(end or _by_paramiko(job)))
    except HostRefusedError as refused:
        return clock.result(*refused_end(refused, terms))


def _by_openssh(job: _Job, client: Client) -> End | None:
    """Do it by OpenSSH; None where the host was not reached that way, and paramiko tries or says why."""
    order = job.order()
    marks = Beginning(order.mark, job.terms.on_output)
    try:
        started = client.start(job.target, order.line)
    except (HostRefusedError, OSError):
        logger.info("OpenSSH cannot reach %s", job.target.label, exc_info=True)
        return None
    given = order.given
    login = job.target.login
    if login.become_method and login.become_password is not None:
        given = login.become_password.encode() + b"\n" + given
    terms = replace(job.terms, on_output=marks)
    try:
        exchange = Exchange(started, given, job.feed.source, job.feed.listener, terms)
        ending = exchange.run(lambda: marks.there)
    finally:
        started.end()
    return _judged(job, order, marks, ending, started.process.returncode)


def _judged(
    job: _Job, order: Order, marks: Beginning, ending: Ending, code: int
) -> End | None:
    target = job.target
    if ending != "ended":
        marks.let_go()
        stopped = stop_from_outside(target, order, dial)
        return cut_short(ending, target, job.terms, stopped)
    if not 0 <= code < SSH_FAILED and not marks.there:
        return None
    marks.let_go()
    if marks.said:
        return "failed", mark_sentence(marks.said, target), code, ""
    return _ended(code, target)


def _ended(code: int, target: Target) -> End:
    label = target.label
    if code == 0:
        return "ok", f"Ended on {label} with exit code 0.", 0, ""
    if 0 < code < SSH_FAILED:
        return "failed", f"Ended on {label} with exit code {code}.", code, ""
    words = (
        f"The connection to {label} broke while the command ran; whether it goes on "
        "there is not known. Look on the host before you repeat it."
    )
    return "unreachable", words, None, ""


def _by_paramiko(job: _Job) -> End:
    order = job.order()
    with connected(job.target, job.terms.patience, dial) as connection:
        marks = Beginning(order.mark, job.terms.on_output)
        channel = start(connection, order, stays_open=True)
        with _Pump(channel, job.feed.source, job.feed.listener) as pump:

            def hear(data: bytes, stream: Stream) -> None:
                marks(data, stream)
                pump.turn()

            ending = follow(channel, replace(job.terms, on_output=hear))
            if ending == "ended":
                end = finished(connection, channel)
        marks.let_go()
        if ending != "ended":
            stopped = stop(connection, order, dial)
            return cut_short(ending, job.target, job.terms, stopped)
        if marks.said:
            return "failed", mark_sentence(marks.said, job.target), end[2], end[3]
        return end


class _Pump:
    """Sends the file through a channel from a thread of its own, once it is asked for."""

    def __init__(self, channel: Channel, source: Source, listener: Listener) -> None:
        self._channel = channel
        self._source = source
        self._listener = listener
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> _Pump:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._channel.close()
            self._thread.join()

    def turn(self) -> None:
        """Begin, once the listener has heard from where on."""
        if self._thread is None and self._listener.ready is not None:
            self._thread = threading.Thread(target=self._send, daemon=True)
            self._thread.start()

    def _send(self) -> None:
        # Who does not read its stdin says by its exit code why.
        with suppress(*FAILURES), self._source.path.open("rb") as file:
            sent = self._listener.ready or 0
            file.seek(sent)
            while piece := file.read(min(CHUNK_BYTES, self._source.size - sent)):
                self._put(piece)
                sent += len(piece)
                self._listener.count(sent)
            self._channel.shutdown_write()

    def _put(self, piece: bytes) -> None:
        left = memoryview(piece)
        while left:
            if self._over.is_set():
                raise EOFError
            # A host that takes nothing for a while is slow, and not gone: the time-out of the work decides.
            with suppress(TimeoutError):
                left = left[self._channel.send(left) :]  # type: ignore[arg-type]

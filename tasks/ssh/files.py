"""Brings files to a host: by SFTP under a temporary name, compared there by SHA-256, then renamed into place."""

from __future__ import annotations

import posixpath
import secrets
import shlex
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from tasks.ssh.channels import follow, start, stop
from tasks.ssh.commands import Clock, End, cut_short, finished, refused_end
from tasks.ssh.connect import FAILURES, Connection
from tasks.ssh.delivery import LOOK, MEND, PLACE, Delivery, Found, failure_words
from tasks.ssh.jumps import dial
from tasks.ssh.lines import Order, as_user, marked
from tasks.ssh.pool import connected
from tasks.ssh.terms import Terms
from tasks.ssh.words import become_refusal
from tasks.targets import CommandResult, HostRefusedError, Target

CHUNK_BYTES = 32 * 1024
# A transfer that does not move for so long is given up, unless the run has its own time-out without output.
STALL_SECONDS = 60.0
# What a host says in one answer that is read.
MOST_SAID = 16 * 1024


class _EndedError(Exception):
    """The work on this host is over; `end` says how."""

    def __init__(self, end: End) -> None:
        super().__init__(end[1])
        self.end = end


def put_files(
    target: Target, deliveries: Sequence[Delivery], terms: Terms
) -> CommandResult:
    """Bring files to a host, one after the other; a line of output for each says what became of it.

    What has the right content, owner and mode already is not sent again. The first that fails ends it. Otherwise as
    `run_command`.
    """
    clock = Clock()
    words = become_refusal(target)
    words = words or next((found for one in deliveries if (found := one.refusal())), "")
    if words:
        return clock.result("failed", words)
    try:
        if terms.cancelled():
            words = f"Cancelled before {target.label} was reached."
            return clock.result("cancelled", words)
        with connected(target, terms.patience, dial) as connection:
            courier = _Courier(connection, terms)
            return clock.result(*courier.deliver_all(deliveries))
    except _EndedError as ended:
        return clock.result(*ended.end)
    except HostRefusedError as refused:
        return clock.result(*refused_end(refused, terms))


class _Courier:
    """Brings files over one connection; whatever stops it raises _EndedError."""

    def __init__(self, connection: Connection, terms: Terms) -> None:
        self._connection = connection
        self._target = connection.target
        self._terms = terms
        self._deadline = time.monotonic() + terms.timeout

    def deliver_all(self, deliveries: Sequence[Delivery]) -> End:
        """Bring each file and count what became of them."""
        done = [self._deliver(one) for one in deliveries]
        total, label = len(done), self._target.label
        parts = [
            f"{done.count(word)} {word}"
            for word in ("sent", "mended", "unchanged")
            if word in done
        ]
        noun = "file" if total == 1 else "files"
        return "ok", f"{total} {noun} on {label}: {', '.join(parts)}.", 0, ""

    def _deliver(self, one: Delivery) -> str:
        found = self._look(one)
        if found.matches(one):
            self._say(f"{one.path}: unchanged ({one.size:,} bytes)")
            return "unchanged"
        if found.sha256 == one.sha256:
            self._ask(one, [MEND, one.path, one.owner, one.group, one.mode])
            self._say(f"{one.path}: content unchanged, owner and mode set")
            return "mended"
        began = time.monotonic()
        self._send(one)
        seconds = time.monotonic() - began
        self._say(f"{one.path}: sent {one.size:,} bytes in {seconds:.1f} s, compared")
        return "sent"

    def _look(self, one: Delivery) -> Found:
        return Found.read(self._ask(one, [LOOK, one.path]))

    def _send(self, one: Delivery) -> None:
        """Upload beside the destination, or where the login may write when root takes it from there, and put it in place."""
        becomes = bool(self._target.login.become_method)
        parent = posixpath.dirname(one.path)
        name = f".adminset-{secrets.token_hex(8)}"
        folder = posixpath.join("/tmp" if becomes else parent, name)  # noqa: S108 - a folder of its own, 0700
        staged = posixpath.join(folder, "file")
        try:
            sftp = self._connection.sftp()
            sftp.get_channel().settimeout(self._terms.idle_timeout or STALL_SECONDS)  # type: ignore[union-attr]
        except FAILURES as error:
            self._fail(one, f"the host has no SFTP ({_said(error)})")
        try:
            try:
                sftp.mkdir(folder, 0o700)
                self._upload(sftp, one, staged)
            except FAILURES as error:
                self._broken_transfer(one, error)
            new = posixpath.join(parent, name) if becomes else staged
            self._place(one, staged, new, becomes)
        finally:
            for tidy, path in ((sftp.remove, staged), (sftp.rmdir, folder)):
                with suppress(*FAILURES):
                    tidy(path)
            with suppress(*FAILURES):
                sftp.close()

    def _upload(self, sftp: object, one: Delivery, staged: str) -> None:
        self._say(f"{one.path}: sending {one.size:,} bytes")
        with (
            Path(one.source).open("rb") as local,
            sftp.open(staged, "wx") as remote,  # type: ignore[attr-defined]
        ):
            remote.set_pipelined(True)
            while chunk := local.read(CHUNK_BYTES):
                remote.write(chunk)
                self._go_on()

    def _place(self, one: Delivery, staged: str, new: str, becomes: bool) -> None:
        stamp = f"{datetime.now(UTC):%Y%m%d%H%M%S}" if one.backup else ""
        mark = secrets.token_hex(8)
        words = [PLACE, mark, "" if becomes else "there", new, one.path, one.sha256]
        words += [one.owner, one.group, one.mode, stamp]
        self._ask(one, words, feed=staged if becomes else "")

    def _ask(self, one: Delivery, words: list[str], feed: str = "") -> str:
        """Run one of the portal's own scripts on the host, as whom the login becomes; give what it prints.

        `feed` is a file of the login's that follows its stdin, after the mark that is the script's first argument.
        """
        token = secrets.token_hex(16)
        script, *arguments = words
        own = marked(script, token, *arguments)
        line = shlex.join([*as_user(self._target.login), *own])
        if feed:
            inner = f'{{ cat; printf "%s\\n" "$1"; cat "$2"; }} | {line}'
            line = shlex.join(marked(inner, token, arguments[0], feed))
        said = _Said()
        code = self._run(Order(line, token=token), said)
        if code:
            self._fail(one, failure_words(said.text("stderr"), one))
        return said.text("stdout")

    def _run(self, order: Order, said: _Said) -> int | None:
        channel = start(self._connection, order)
        left = max(self._deadline - time.monotonic(), 0.1)
        terms = Terms(said, left, cancelled=self._terms.cancelled)
        ending = follow(channel, terms)
        if ending != "ended":
            stopped = stop(self._connection, order, dial)
            raise _EndedError(cut_short(ending, self._target, self._terms, stopped))
        end = finished(self._connection, channel)
        if end[2] is None:
            raise _EndedError(end)
        return end[2]

    def _go_on(self) -> None:
        """Go on, unless somebody or the clock ends it."""
        ending = "cancelled" if self._terms.cancelled() else "timed_out"
        if ending == "cancelled" or time.monotonic() > self._deadline:
            words = "What was sent so far is removed."
            end = cut_short(ending, self._target, self._terms, words)  # type: ignore[arg-type]
            raise _EndedError(end)

    def _broken_transfer(self, one: Delivery, error: Exception) -> None:
        self._go_on()
        if isinstance(error, TimeoutError):
            seconds = self._terms.idle_timeout or STALL_SECONDS
            words = (
                f"{one.path} on {self._target.label} was not taken for {seconds:g} s."
            )
            raise _EndedError(("timed_out", words, None, "idle")) from error
        self._fail(one, _said(error))

    def _fail(self, one: Delivery, words: str) -> None:
        label = self._target.label
        if not self._connection.alive:
            text = f"The connection to {label} broke while {one.path} was sent; what was there stays."
            raise _EndedError(("unreachable", text, None, ""))
        self._say(f"{one.path}: {words}")
        text = f"{one.path} was not brought to {label}: {words}."
        raise _EndedError(("failed", text, None, ""))

    def _say(self, words: str) -> None:
        self._terms.on_output(f"{words}\n".encode(errors="replace"), "stdout")


class _Said:
    """Keeps the first of what the host says."""

    def __init__(self) -> None:
        self._pieces = {"stdout": b"", "stderr": b""}

    def __call__(self, data: bytes, stream: str) -> None:
        """Take a piece."""
        self._pieces[stream] = (self._pieces[stream] + data)[:MOST_SAID]

    def text(self, stream: str) -> str:
        """Give what there is of a stream."""
        return self._pieces[stream].decode(errors="replace").strip()


def _said(error: Exception) -> str:
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(words).strip().rstrip(".")[:300]

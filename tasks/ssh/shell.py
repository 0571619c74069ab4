"""A shell on a host behind a terminal of its own, on a connection of its own: read, written and resized without waiting."""

from __future__ import annotations

import secrets
import shlex
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from tasks.ssh.connect import FAILURES, STEP_SECONDS, Channel, Connection, connect, take
from tasks.ssh.ways import Dial, Patience
from tasks.ssh.words import become_refusal
from tasks.targets import HostRefusedError, Target

TERM = "xterm-256color"
# What the host may send before somebody reads: a flood waits on the host, not in memory; less would have the host wait for three threads that
# take turns.
WINDOW_BYTES = 2**20
# What is kept of what sudo says before it lets one in, or why it does not.
MOST_SAID = 8 * 1024
# How often it is asked meanwhile whether to give up.
LOOK_SECONDS = 0.2
# A host says the status beside the last byte or a moment later; one that never does keeps nobody.
STATUS_SECONDS = 0.5


class Size(NamedTuple):
    """Columns and rows of a terminal."""

    columns: int
    rows: int


class _Teller(threading.Event):
    """Stands where paramiko sets an event when there is something to read, and tells whoever waits."""

    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__()
        self._tell = tell

    def set(self) -> None:
        """Tell."""
        self._tell()

    def clear(self) -> None:
        """Do nothing: who was told looks until there is nothing left."""


class Shell:
    """A shell that is open. One thread at a time reads and writes it; `close` may come from any.

    Nothing here waits for the host or for the program that runs there; only where a connection is dead and its buffer full
    does `write` stand still, until `close` or the keep-alive ends it.
    """

    def __init__(
        self, connection: Connection, channel: Channel, first: bytes = b""
    ) -> None:
        self._connection = connection
        self._channel = channel
        self._first = first
        self._end_seen: float | None = None
        channel.settimeout(0.0)

    @property
    def label(self) -> str:
        """The host in words."""
        return self._connection.target.label

    @property
    def exit_code(self) -> int | None:
        """With what the shell ended; None while it goes on, and where the host did not say."""
        ready = self._channel.exit_status_ready()
        code = self._channel.exit_status if ready else -1
        return code if code >= 0 else None

    def on_ready(self, callback: Callable[[], None]) -> None:
        """Have somebody told, from another thread, when there is something to read or the shell ended.

        `callback` only wakes its own thread: it does not read, and does not wait.
        """
        self._channel.in_buffer.set_event(_Teller(callback))
        if self._first:
            callback()

    def read(self, most: int) -> bytes | None:
        """Give at most so many bytes: b"" where there are none now, None where there will be no more."""
        if self._first:
            piece, self._first = self._first[:most], self._first[most:]
            return piece
        channel = self._channel
        # How it ended comes last.
        over = channel.closed or (channel.eof_received and self._has_status())
        # Asked in this order: what came before the end is still there.
        if channel.recv_ready():
            return take(channel, most) or None
        return None if over or not self._connection.alive else b""

    def _has_status(self) -> bool:
        """Say whether the host told how the shell ended, or has had the time to."""
        now = time.monotonic()
        self._end_seen = self._end_seen or now
        late = now - self._end_seen >= STATUS_SECONDS
        return late or bool(self._channel.exit_status_ready())

    def write(self, data: bytes) -> int:
        """Send what the host takes now, and say how many bytes that were; 0 while the program there reads nothing."""
        try:
            return self._channel.send(data) if data else 0
        except TimeoutError:
            return 0
        except FAILURES:
            # It is over; the next read says so.
            return len(data)

    def resize(self, columns: int, rows: int) -> None:
        """Tell the program the new size of its terminal."""
        with suppress(*FAILURES):
            self._channel.resize_pty(columns, rows)

    def close(self) -> None:
        """Hang up: the host ends what hangs on the terminal."""
        self._connection.close()


def open_shell(
    target: Target,
    patience: Patience,
    dial: Dial,
    size: Size,
    become: bool = False,
    character_type: str = "",
) -> Shell:
    """Sign in and open a shell, with `become` that of the user whom the login becomes (root, by sudo).

    Args:
        character_type: sent as LC_CTYPE, such as "C.UTF-8"; a host that does not take it keeps its own.

    Raises:
        HostRefusedError: a sentence that says what stands in the way.
    """
    if become and (words := _no_way_up(target)):
        raise HostRefusedError(words)
    connection = connect(target, patience, dial)
    try:
        channel = _terminal(connection, size, character_type)
        if not become:
            channel.invoke_shell()
            return Shell(connection, channel)
        return Shell(connection, channel, _Rise(connection, channel, patience).first())
    except FAILURES as error:
        connection.close()
        raise HostRefusedError(
            f"{target.label} signed {target.login.user} in but gives no terminal. "
            "Check the account's shell, PermitTTY and MaxSessions of its sshd."
        ) from error
    except BaseException:
        connection.close()
        raise


def _no_way_up(target: Target) -> str:
    if not target.login.become_method:
        return (
            f"The credential of {target.label} has no way to become root. Choose sudo "
            "in the credential, or open the terminal as its own user."
        )
    return become_refusal(target)


def _terminal(connection: Connection, size: Size, character_type: str) -> Channel:
    channel = connection.transport.open_session(WINDOW_BYTES, timeout=STEP_SECONDS)
    channel.settimeout(STEP_SECONDS)
    if character_type:
        channel.set_environment_variable("LC_CTYPE", character_type)
    channel.get_pty(TERM, size.columns, size.rows)
    return channel


class _Rise:
    """Becomes another user on the terminal: sudo asks there, and gets the password from memory once it has asked."""

    def __init__(
        self, connection: Connection, channel: Channel, patience: Patience
    ) -> None:
        self._target = connection.target
        self._channel = channel
        self._patience = patience
        # Words that nothing on the host can know before: the question, and that one is in.
        self._asks = secrets.token_hex(16)
        self._is_in = secrets.token_hex(16)
        self._said = b""

    def first(self) -> bytes:
        """Give what the new user's shell has said already; raises HostRefusedError where sudo refuses."""
        login = self._target.login
        user = ["-u", login.become_user] if login.become_user else []
        enter = f'printf %s {self._is_in}; exec "${{SHELL:-/bin/sh}}" -l'
        words = ["sudo", "-H", "-p", self._asks, *user, "--", "/bin/sh", "-c", enter]
        self._channel.exec_command(f"exec {shlex.join(words)}".encode())
        if self._heard(self._asks):
            # sudo has taken the echo off before it asks.
            self._channel.sendall((login.become_password or "").encode() + b"\n")
            if self._heard(self._asks, after=1):
                raise HostRefusedError(
                    f"sudo on {self._target.label} did not take the password of "
                    f"{login.user}. Correct it in the credential."
                )
        return self._said.partition(self._is_in.encode())[2]

    def _heard(self, mark: str, after: int = 0) -> bool:
        """Wait until sudo asks (True), or the new shell begins (False)."""
        deadline = time.monotonic() + self._patience.seconds
        while True:
            if self._is_in.encode() in self._said:
                return False
            if self._said.count(mark.encode()) > after:
                return True
            left = deadline - time.monotonic()
            if left <= 0 or self._patience.cancelled() or not self._listen(left):
                raise HostRefusedError(self._refused())

    def _listen(self, left: float) -> bool:
        """Take in what is said within a moment; False where there will be no more."""
        self._channel.settimeout(max(min(left, LOOK_SECONDS), 0.01))
        try:
            piece = self._channel.recv(MOST_SAID)
        except TimeoutError:
            return True
        self._said = (self._said + piece)[-MOST_SAID:]
        return bool(piece)

    def _refused(self) -> str:
        said = self._said.decode(errors="replace").replace(self._asks, "")
        said = "".join(sign for sign in said if sign.isprintable() or sign == "\n")
        lines = [line.strip() for line in said.split("\n") if line.strip()]
        last = f' It said: "{lines[-1][:200]}"' if lines else ""
        return (
            f"sudo on {self._target.label} did not let {self._target.login.user} "
            f"become {self._target.login.become_user or 'root'}.{last}"
        )

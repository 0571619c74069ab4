"""One order on one connection: started, followed until it ends or somebody or the clock ends it, stopped on the host."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import Literal

from tasks.remote_stop import CONFIRMED, stop_by_token
from tasks.ssh.connect import FAILURES, STEP_SECONDS, Channel, Connection, connect
from tasks.ssh.lines import Order
from tasks.ssh.terms import OnOutput, Terms
from tasks.ssh.ways import Dial, Patience
from tasks.targets import HostRefusedError, Target

Ending = Literal["ended", "cancelled", "timed_out", "idle", "broken"]

# How often it is asked whether to stop; output and ends are not waited for but waken.
TICK_SECONDS = 0.4
CHUNK_BYTES = 32 * 1024
# A command that leaves a daemon behind keeps the channel open; this long a silence
# after its exit code is its end.
AFTERMATH_SECONDS = 0.5

logger = logging.getLogger(__name__)


class _Waker(threading.Event):
    """Wakes on what any of several pipes brings; only its owner calms it, not whichever pipe is empty."""

    def clear(self) -> None:
        """Do nothing: paramiko clears when one pipe is empty, and the other may not be."""

    def calm(self) -> None:
        """Forget what woke it."""
        super().clear()


def start(connection: Connection, order: Order, *, stays_open: bool = False) -> Channel:
    """Start an order; sudo gets its password through the channel, never through argv.

    Args:
        stays_open: more is to follow on its stdin.

    Raises:
        HostRefusedError: the host runs nothing.
    """
    login = connection.target.login
    try:
        channel = connection.channel()
        channel.exec_command(order.line.encode(errors="surrogateescape"))
    except FAILURES as error:
        connection.sound = False
        raise HostRefusedError(
            f"{connection.target.label} signed {login.user} in but runs no command for it. "
            "Check the account's shell and MaxSessions of its sshd."
        ) from error
    given = order.given
    asks = order.become and login.become_method
    if asks and login.become_password is not None:
        given = login.become_password.encode() + b"\n" + given
    # Who does not read its stdin says by its exit code why.
    with suppress(*FAILURES):
        if given:
            channel.sendall(given)
        if not stays_open:
            channel.shutdown_write()
    return channel


def follow(channel: Channel, terms: Terms) -> Ending:
    """Hand over output until the order ends, or somebody or the clock ends it."""
    waker = _Waker()
    channel.in_buffer.set_event(waker)
    channel.in_stderr_buffer.set_event(waker)
    began = heard = time.monotonic()
    while True:
        waker.calm()
        try:
            moved = _drain(channel, terms.on_output)
            if terms.cancelled():
                return "cancelled"
        except Exception:
            logger.exception("the receiver of a command's output failed")
            return "broken"
        now = time.monotonic()
        heard = now if moved else heard
        if not moved and _is_over(channel, now - heard):
            return "ended"
        if late := too_late(terms, now - began, now - heard):
            return late
        if not moved:
            _wait(channel, waker, began + terms.timeout - now)


def too_late(terms: Terms, passed: float, silence: float) -> Ending | None:
    """Say which time-out is over, after so many seconds of work and of silence; None where none is."""
    if passed > terms.timeout:
        return "timed_out"
    idle = terms.idle_timeout
    return "idle" if idle is not None and silence > idle else None


def _drain(channel: Channel, on_output: OnOutput) -> bool:
    """Hand over one chunk of each stream; say whether there was any."""
    moved = False
    if channel.recv_ready():
        on_output(channel.recv(CHUNK_BYTES), "stdout")
        moved = True
    if channel.recv_stderr_ready():
        on_output(channel.recv_stderr(CHUNK_BYTES), "stderr")
        moved = True
    return moved


def _is_over(channel: Channel, silence: float) -> bool:
    if not channel.exit_status_ready() or channel.recv_ready():
        return False
    if channel.recv_stderr_ready():
        return False
    return bool(channel.eof_received or channel.closed or silence > AFTERMATH_SECONDS)


def _wait(channel: Channel, waker: _Waker, left: float) -> None:
    # After its last byte only the exit code is missing.
    event = channel.status_event if channel.eof_received else waker
    event.wait(min(TICK_SECONDS, max(left, 0.01)))


def stop(connection: Connection, order: Order, dial: Dial) -> str:
    """End the marked processes of an order through a second channel, and say whether that is certain.

    The connection is not used again afterwards.
    """
    connection.sound = False
    return _stop_words(_stop(connection, order, dial))


def _stop_words(ended: bool) -> str:
    if ended:
        return "Its processes there have ended."
    return "The host did not confirm that its processes there ended: look on the host."


def stop_from_outside(target: Target, order: Order, dial: Dial) -> str:
    """The same for an order that another program speaks to: by a connection of its own."""
    try:
        ended = _stop_anew(target, _stopping(target, order.token, order.folder), dial)
    except (HostRefusedError, *FAILURES):
        ended = False
    return _stop_words(ended)


def confirms_end(connection: Connection, token: str) -> bool:
    """End the processes that bear a mark, and say whether the host confirms it.

    Raises:
        HostRefusedError: the host runs nothing.
    """
    try:
        return _confirms(start(connection, _stopping(connection.target, token)))
    except FAILURES:
        connection.sound = False
        return False


def _stopping(target: Target, token: str, folder: str = "") -> Order:
    login = target.login
    line = stop_by_token(
        token,
        as_root=bool(login.become_method),
        user=login.become_user,
        folder=folder,
    )
    return Order(line)


def _stop(connection: Connection, order: Order, dial: Dial) -> bool:
    target = connection.target
    stopping = _stopping(target, order.token, order.folder)
    try:
        if connection.alive:
            return _confirms(start(connection, stopping))
        return _stop_anew(target, stopping, dial)
    except (HostRefusedError, *FAILURES):
        return False


def _stop_anew(target: Target, stopping: Order, dial: Dial) -> bool:
    fresh = connect(target, Patience(STEP_SECONDS), dial)
    try:
        return _confirms(start(fresh, stopping))
    finally:
        fresh.close()


def _confirms(channel: Channel) -> bool:
    channel.settimeout(STEP_SECONDS)
    answer = b""
    while chunk := channel.recv(CHUNK_BYTES):
        answer = (answer + chunk)[-CHUNK_BYTES:]
    return CONFIRMED in answer

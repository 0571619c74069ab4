"""The door to hosts by SSH: the one file that imports paramiko and judges host keys."""

from __future__ import annotations

import io
import logging
import secrets
import selectors
import shlex
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import paramiko
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tasks.keys import open_private_key, openssh_text
from tasks.remote_stop import CONFIRMED, TOKEN_VARIABLE, stop_by_token
from tasks.ssh_words import command_refusal, connect_sentence, sign_in_sentence
from tasks.targets import (
    CommandResult,
    CommandStatus,
    HostKey,
    HostRefusedError,
    Target,
    changed_key_sentence,
    pinned_key,
)

Stream = Literal["stdout", "stderr"]
OnOutput = Callable[[bytes, Stream], None]
Ending = Literal["ended", "cancelled", "timed_out", "broken"]

TICK_SECONDS = 0.2
CHUNK_BYTES = 32 * 1024
# A command that leaves a daemon behind keeps the channel open; this long a silence
# after its exit code is its end.
AFTERMATH_SECONDS = 0.5
STOP_SECONDS = 6.0
KEEPALIVE_SECONDS = 15

logger = logging.getLogger(__name__)
# Each failure becomes a sentence in a result; paramiko would log it as a traceback.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class _Order:
    """One command on its way: what to run, under which mark, for whom."""

    target: Target
    token: str
    command: str
    timeout: float
    on_output: OnOutput
    cancelled: Callable[[], bool]


def fetch_host_key(address: str, port: int, timeout: float = 10.0) -> HostKey:
    """Read the key a host shows, without signing in.

    `timeout` is in seconds and covers each step. Raises HostRefusedError with a sentence when
    there is no SSH server to be reached.
    """
    label = f"{address}:{port}"
    transport = _open_transport(address, port, timeout, label)
    try:
        _negotiate(transport, timeout, label)
        key = transport.get_remote_server_key()
    finally:
        transport.close()
    return HostKey.parse(f"{key.get_name()} {key.get_base64()}")


def run_command(
    target: Target,
    command: str,
    *,
    on_output: OnOutput,
    timeout: float,
    connect_timeout: float = 10.0,
    cancelled: Callable[[], bool] = lambda: False,
) -> CommandResult:
    """Run a shell command on a host and hand over its output as it arrives.

    `command` reaches /bin/sh on the host unchanged (64 KiB at most), with an empty
    stdin. `on_output` gets raw bytes and "stdout" or "stderr". `timeout` counts
    seconds from the start of the command, `connect_timeout` covers each step before
    it. `cancelled` is asked five times a second. Never raises for what a host does:
    the result's status and sentence say it.
    """
    token = secrets.token_hex(16)
    order = _Order(target, token, command, timeout, on_output, cancelled)
    started = datetime.now(UTC)

    def result(
        status: CommandStatus, explanation: str, exit_code: int | None = None
    ) -> CommandResult:
        ended = datetime.now(UTC)
        return CommandResult(exit_code, status, explanation, started, ended)

    if refusal := command_refusal(target, command):
        return result("failed", refusal)
    try:
        if cancelled():
            return result("cancelled", f"Cancelled before {target.label} was reached.")
        with _signed_in(target, connect_timeout) as transport:
            return result(*_execute(transport, order))
    except HostRefusedError as refused:
        return result("unreachable", str(refused))


# Reaching a host


def _open_transport(
    address: str, port: int, timeout: float, label: str
) -> paramiko.Transport:
    try:
        sock = socket.create_connection((address, port), timeout)
        return paramiko.Transport(sock)
    except (OSError, UnicodeError) as error:
        raise HostRefusedError(connect_sentence(error, label, timeout)) from error


def _negotiate(transport: paramiko.Transport, timeout: float, label: str) -> None:
    transport.banner_timeout = timeout
    try:
        transport.start_client(timeout=timeout)
        # When its time is over start_client returns as if all were well.
        if not transport.initial_kex_done:
            raise EOFError
    except paramiko.ssh_exception.IncompatiblePeer:
        raise
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise HostRefusedError(
            f"{label} answers, but not as an SSH server within {timeout:g} s. Check "
            "the port, and whether sshd there turns connections away."
        ) from error


@contextmanager
def _signed_in(target: Target, timeout: float) -> Iterator[paramiko.Transport]:
    """Give a transport whose host key is the accepted one, signed in."""
    key = _accepted_key(target, timeout)
    private_key = _private_key(target)
    transport = _open_transport(target.address, target.port, timeout, target.label)
    try:
        _check_host(transport, target, key, timeout)
        transport.auth_timeout = timeout
        transport.set_keepalive(KEEPALIVE_SECONDS)
        _sign_in(transport, target, private_key)
        yield transport
    finally:
        transport.close()


def _accepted_key(target: Target, timeout: float) -> HostKey:
    """Return the pinned key, or refuse and name the key that is there to accept."""
    offered = ""
    if not target.host_key:
        offered = fetch_host_key(
            target.address, target.port, timeout
        ).fingerprint_sha256
    return pinned_key(target, offered)


def _check_host(
    transport: paramiko.Transport, target: Target, pinned: HostKey, timeout: float
) -> None:
    # A server with several keys must show the one that was accepted.
    transport.get_security_options().key_types = pinned.wire_algorithms()
    offered = ""
    try:
        _negotiate(transport, timeout, target.label)
        key = transport.get_remote_server_key()
        offered = HostKey.parse(
            f"{key.get_name()} {key.get_base64()}"
        ).fingerprint_sha256
    except paramiko.ssh_exception.IncompatiblePeer:
        with suppress(HostRefusedError, paramiko.SSHException):
            offered = fetch_host_key(
                target.address, target.port, timeout
            ).fingerprint_sha256
        if offered in ("", pinned.fingerprint_sha256):
            raise HostRefusedError(
                f"{target.label} and AdminSet have no SSH algorithms in common. "
                "Update its SSH server."
            ) from None
    if offered != pinned.fingerprint_sha256:
        raise HostRefusedError(changed_key_sentence(target, pinned, offered))


def _private_key(target: Target) -> paramiko.PKey | None:
    if not target.login.private_key:
        return None
    key = open_private_key(target.login)
    text = io.StringIO(openssh_text(key))
    if isinstance(key, rsa.RSAPrivateKey):
        return paramiko.RSAKey.from_private_key(text)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return paramiko.ECDSAKey.from_private_key(text)
    return paramiko.Ed25519Key.from_private_key(text)


def _sign_in(
    transport: paramiko.Transport, target: Target, private_key: paramiko.PKey | None
) -> None:
    """Try the key, then the password; nothing else is ever offered."""
    login = target.login
    tried = []
    try:
        if private_key is not None:
            tried.append("private key")
            with suppress(paramiko.AuthenticationException):
                transport.auth_publickey(login.user, private_key)
        if not transport.is_authenticated() and login.password is not None:
            tried.append("password")
            with suppress(paramiko.AuthenticationException):
                transport.auth_password(login.user, login.password)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise HostRefusedError(
            f"{target.label} closed the connection during the sign-in of {login.user}. "
            "Look into the log of its sshd."
        ) from error
    if not transport.is_authenticated():
        raise HostRefusedError(sign_in_sentence(target, tried))


# Running a command


def _command_line(order: _Order) -> str:
    """Return the line for the exec channel.

    The mark in the environment finds every process of this command again. The outer
    shell waits, so that a command which clears its environment is still its child.
    """
    words = [
        *(("sudo", "-S", "-p", "") if order.target.login.become_method else ()),
        *("env", f"{TOKEN_VARIABLE}={order.token}"),
        *("/bin/sh", "-c", '/bin/sh -c "$1" </dev/null; exit $?', "adminset"),
        order.command,
    ]
    return shlex.join(words)


def _start(
    transport: paramiko.Transport, target: Target, line: str
) -> paramiko.Channel:
    """Start a line; sudo gets its password through the channel, never through argv."""
    channel = transport.open_session(timeout=STOP_SECONDS)
    channel.settimeout(STOP_SECONDS)
    channel.exec_command(line.encode(errors="surrogateescape"))
    login = target.login
    with suppress(OSError):
        if login.become_method and login.become_password is not None:
            channel.sendall(login.become_password.encode() + b"\n")
        channel.shutdown_write()
    return channel


def _execute(
    transport: paramiko.Transport, order: _Order
) -> tuple[CommandStatus, str, int | None]:
    label = order.target.label
    try:
        channel = _start(transport, order.target, _command_line(order))
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise HostRefusedError(
            f"{label} signed {order.target.login.user} in but runs no command for it. "
            "Check the account's shell and MaxSessions of its sshd."
        ) from error
    ending = _pump(channel, order)
    if ending == "ended":
        return _finished(channel, order)
    stopped = _stop_sentence(transport, order)
    if ending == "cancelled":
        return "cancelled", f"Cancelled while it ran on {label}. {stopped}", None
    if ending == "timed_out":
        text = f"{label} did not finish within the time-out of {order.timeout:g} s."
        return "timed_out", f"{text} {stopped}", None
    return "failed", f"The output of {label} could not be taken in. {stopped}", None


def _pump(channel: paramiko.Channel, order: _Order) -> Ending:
    """Hand over output until the command ends, or somebody or the clock ends it."""
    deadline = time.monotonic() + order.timeout
    quiet_since = time.monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        while True:
            try:
                moved = _drain(channel, order.on_output)
                if order.cancelled():
                    return "cancelled"
            except Exception:
                logger.exception("the receiver of a command's output failed")
                return "broken"
            if moved:
                quiet_since = time.monotonic()
            elif _is_over(channel, quiet_since):
                return "ended"
            if time.monotonic() > deadline:
                return "timed_out"
            _wait(channel, selector)


def _drain(channel: paramiko.Channel, on_output: OnOutput) -> bool:
    """Hand over one chunk of each stream; say whether there was any."""
    moved = False
    if channel.recv_ready():
        on_output(channel.recv(CHUNK_BYTES), "stdout")
        moved = True
    if channel.recv_stderr_ready():
        on_output(channel.recv_stderr(CHUNK_BYTES), "stderr")
        moved = True
    return moved


def _is_over(channel: paramiko.Channel, quiet_since: float) -> bool:
    if not channel.exit_status_ready() or channel.recv_ready():
        return False
    if channel.recv_stderr_ready():
        return False
    silence = time.monotonic() - quiet_since
    return bool(channel.eof_received or channel.closed or silence > AFTERMATH_SECONDS)


def _wait(channel: paramiko.Channel, selector: selectors.BaseSelector) -> None:
    # After its last byte a channel is always readable: then wait for the exit code.
    if channel.eof_received and not (
        channel.recv_ready() or channel.recv_stderr_ready()
    ):
        channel.status_event.wait(TICK_SECONDS)
    else:
        selector.select(TICK_SECONDS)


def _finished(
    channel: paramiko.Channel, order: _Order
) -> tuple[CommandStatus, str, int | None]:
    label = order.target.label
    code = channel.recv_exit_status()
    if code == 0:
        return "ok", f"Ended on {label} with exit code 0.", 0
    if code > 0:
        return "failed", f"Ended on {label} with exit code {code}.", code
    if channel.get_transport().is_active():
        return "failed", f"Ended on {label} by a signal, without exit code.", None
    return (
        "unreachable",
        f"The connection to {label} broke while the command ran; whether it goes on "
        "there is not known. Look on the host before you repeat it.",
        None,
    )


def _stop_sentence(transport: paramiko.Transport, order: _Order) -> str:
    if _stop_remote(transport, order):
        return "Its processes there have ended."
    return "The host did not confirm that its processes there ended: look on the host."


def _stop_remote(transport: paramiko.Transport, order: _Order) -> bool:
    """End the marked processes through a second channel; True when none is left."""
    as_root = bool(order.target.login.become_method)
    line = stop_by_token(order.token, as_root=as_root)
    try:
        if transport.is_active():
            return _confirms(_start(transport, order.target, line))
        with _signed_in(order.target, STOP_SECONDS) as fresh:
            return _confirms(_start(fresh, order.target, line))
    except (HostRefusedError, paramiko.SSHException, EOFError, OSError):
        return False


def _confirms(channel: paramiko.Channel) -> bool:
    channel.settimeout(STOP_SECONDS)
    answer = b""
    while chunk := channel.recv(CHUNK_BYTES):
        answer = (answer + chunk)[-CHUNK_BYTES:]
    return CONFIRMED in answer

"""Reaches a host by SSH and signs in: the one file that imports paramiko and judges host keys."""

from __future__ import annotations

import io
import logging
import socket
import time
from contextlib import suppress
from typing import Any

import paramiko
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from paramiko.common import cMSG_CHANNEL_WINDOW_ADJUST

from tasks.keys import open_private_key, openssh_text
from tasks.ssh.keyring import Keyring
from tasks.ssh.ways import Dial, Patience, dial_directly, pauses
from tasks.ssh.words import sign_in_sentence
from tasks.targets import (
    HostKey,
    HostRefusedError,
    Login,
    Target,
    changed_key_sentence,
    pinned_key,
)

Channel = paramiko.Channel
# All that paramiko raises where a connection does not do what it should.
FAILURES = (paramiko.SSHException, paramiko.SFTPError, EOFError, OSError)
KEEPALIVE_SECONDS = 15
# A channel is opened, or a request answered, within this; so long pauses a quiet connection between two looks.
STEP_SECONDS = 6.0
QUIET_SECONDS = 5.0
# One pass for secrecy and integrity costs less than two; the others stay for old servers.
FAST_CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")

# Each failure becomes a sentence in a result; paramiko would log it as a traceback.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class TurnedAwayError(HostRefusedError):
    """The server hung up before it greeted, as sshd does beyond its MaxStartups."""


class Connection:
    """A connection that is signed in. One user at a time; `sound` says that another may have it afterwards."""

    def __init__(self, target: Target, transport: paramiko.Transport) -> None:
        self.target = target
        self.transport = transport
        self.sound = True
        self._ready: Channel | None = None

    @property
    def alive(self) -> bool:
        """Whether it is connected, as far as one knows."""
        return self.transport.is_active()

    @property
    def crowded(self) -> bool:
        """Whether others wait for its place at the jump host."""
        return bool(getattr(self.transport.sock, "crowded", False))

    def check(self, seconds: float) -> bool:
        """Open the next channel ahead; False where the connection does not answer any more."""
        try:
            self._ready = self.transport.open_session(timeout=seconds)
        except FAILURES:
            return False
        return True

    def channel(self) -> Channel:
        """Give a fresh channel; raises one of FAILURES."""
        ready, self._ready = self._ready, None
        channel = ready or self.transport.open_session(timeout=STEP_SECONDS)
        channel.settimeout(STEP_SECONDS)
        return channel

    def tunnel(self, address: str, port: int, seconds: float) -> Channel:
        """Give a channel to a port that the host reaches; raises one of FAILURES."""
        way = ("direct-tcpip", (address, port), ("127.0.0.1", 0))
        return self.transport.open_channel(*way, timeout=seconds)

    def sftp(self) -> paramiko.SFTPClient:
        """Give a file transfer over a channel of its own; raises one of FAILURES."""
        channel = self.channel()
        channel.invoke_subsystem("sftp")
        return paramiko.SFTPClient(channel)

    def close(self) -> None:
        """Hang up."""
        self.sound = False
        hang_up(self.transport)


def connect(target: Target, patience: Patience, dial: Dial) -> Connection:
    """Reach a host whose key is the accepted one, and sign in.

    Raises:
        HostRefusedError: a sentence that says what stands in the way.
    """
    pinned = _accepted_key(target, patience, dial)
    private_key = _keyring.get(target.login)
    transport = _checked(target, pinned, patience, dial)
    try:
        transport.auth_timeout = patience.seconds
        transport.set_keepalive(KEEPALIVE_SECONDS)
        _sign_in(transport, target, private_key)
        # paramiko looks ten times a second whether it was closed; hang_up wakes it instead.
        transport.sock.settimeout(QUIET_SECONDS)
    except BaseException:
        hang_up(transport)
        raise
    return Connection(target, transport)


def fetch_host_key(
    address: str, port: int, timeout: float = 10.0, dial: Dial | None = None
) -> HostKey:
    """Read the key a host shows, without signing in.

    `timeout` is in seconds and covers each step. Raises HostRefusedError with a sentence when
    there is no SSH server to be reached.
    """
    target = Target("", address, port, Login(""), None)
    return _offered_key(target, Patience(timeout), dial or dial_directly)


def hang_up(transport: paramiko.Transport) -> None:
    """Close a connection at once, whatever its thread waits for."""
    sock = transport.sock
    if isinstance(sock, socket.socket):
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
    with suppress(*FAILURES):
        transport.close()
    with suppress(*FAILURES):
        sock.close()


def take(channel: Any, most: int) -> bytes:
    """Read what has come; `recv` would lose it where the host cannot be told that more may come."""
    piece: bytes = channel.in_buffer.read(most, 0.0)
    with suppress(*FAILURES):
        more = channel._check_add_window(len(piece))
        if more > 0:
            message = paramiko.Message()
            message.add_byte(cMSG_CHANNEL_WINDOW_ADJUST)
            message.add_int(channel.remote_chanid)
            message.add_int(more)
            channel.transport._send_user_message(message)
    return piece


def _open(target: Target, patience: Patience, dial: Dial) -> paramiko.Transport:
    sock = dial(target, patience)
    try:
        transport = paramiko.Transport(sock)
    except BaseException:
        sock.close()
        raise
    # One line less in a traceback of the interpreter's end, and none that keeps the process.
    transport.daemon = True
    return transport


def _negotiate(
    transport: paramiko.Transport, target: Target, patience: Patience
) -> None:
    timeout, began = patience.seconds, time.monotonic()
    transport.banner_timeout = timeout
    try:
        transport.start_client(timeout=timeout)
        # When its time is over start_client returns as if all were well.
        if not transport.initial_kex_done:
            raise EOFError
    except paramiko.ssh_exception.IncompatiblePeer:
        raise
    except (paramiko.SSHException, EOFError, OSError) as error:
        late = time.monotonic() - began >= timeout
        hung_up = not late and not transport.remote_version
        kind = TurnedAwayError if hung_up else HostRefusedError
        raise kind(
            f"{target.label} answers, but not as an SSH server within {timeout:g} s. Check "
            "the port, and whether sshd there turns connections away.",
            "connect" if late else "",
        ) from error


def _offered_key(target: Target, patience: Patience, dial: Dial) -> HostKey:
    transport = _open(target, patience, dial)
    try:
        _negotiate(transport, target, patience)
        key = transport.get_remote_server_key()
    finally:
        hang_up(transport)
    return HostKey.parse(f"{key.get_name()} {key.get_base64()}")


def _accepted_key(target: Target, patience: Patience, dial: Dial) -> HostKey:
    """Return the pinned key, or refuse and name the key that is there to accept."""
    if target.host_key:
        return pinned_key(target, "")
    offered = _offered_key(target, patience, dial)
    return pinned_key(target, offered.fingerprint_sha256)


def _checked(
    target: Target, pinned: HostKey, patience: Patience, dial: Dial
) -> paramiko.Transport:
    """Negotiate, and again after a while where the server turned the connection away before it greeted."""
    deadline = time.monotonic() + patience.seconds
    left = patience.seconds
    for pause in pauses():
        transport = _open(target, Patience(left, patience.cancelled), dial)
        try:
            _check_host(transport, target, pinned, Patience(left), dial)
        except TurnedAwayError:
            hang_up(transport)
            left = deadline - time.monotonic() - pause
            if left <= 0 or patience.cancelled():
                raise
            time.sleep(pause)
        except BaseException:
            hang_up(transport)
            raise
        else:
            return transport
    raise AssertionError("the pauses never end")


def _check_host(
    transport: paramiko.Transport,
    target: Target,
    pinned: HostKey,
    patience: Patience,
    dial: Dial,
) -> None:
    # A server with several keys must show the one that was accepted.
    options = transport.get_security_options()
    options.key_types = pinned.wire_algorithms()
    rest = (name for name in options.ciphers if name not in FAST_CIPHERS)
    options.ciphers = (*FAST_CIPHERS, *rest)
    offered = ""
    try:
        _negotiate(transport, target, patience)
        key = transport.get_remote_server_key()
        shown = HostKey.parse(f"{key.get_name()} {key.get_base64()}")
        offered = shown.fingerprint_sha256
    except paramiko.ssh_exception.IncompatiblePeer:
        with suppress(HostRefusedError, paramiko.SSHException):
            offered = _offered_key(target, patience, dial).fingerprint_sha256
        if offered in ("", pinned.fingerprint_sha256):
            raise HostRefusedError(
                f"{target.label} and AdminSet have no SSH algorithms in common. "
                "Update its SSH server."
            ) from None
    if offered != pinned.fingerprint_sha256:
        raise HostRefusedError(changed_key_sentence(target, pinned, offered))


def _load_key(login: Login) -> paramiko.PKey | None:
    if not login.private_key:
        return None
    key = open_private_key(login)
    text = io.StringIO(openssh_text(key))
    if isinstance(key, rsa.RSAPrivateKey):
        return paramiko.RSAKey.from_private_key(text)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return paramiko.ECDSAKey.from_private_key(text)
    return paramiko.Ed25519Key.from_private_key(text)


_keyring: Keyring[paramiko.PKey | None] = Keyring(_load_key)


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

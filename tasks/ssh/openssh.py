"""OpenSSH's own client for one host: its private files, pinned key, way through jump hosts, and how it signs in."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

from tasks.ansible_hosts import ADDRESS, USER
from tasks.ansible_jump import ASK, STRICT, Jumps, ssh_text
from tasks.ansible_wiping import write_private
from tasks.keys import open_private_key, openssh_text
from tasks.targets import HostRefusedError, Target, pinned_key

ALIAS = "adminset-send"
PIPE_BYTES = 1024 * 1024
# For bulk: a cipher that the processor knows, no connection that others share, nothing that reads what is sent.
CONFIG = """\
Host {alias}
  HostName {address}
  Port {port}
  User "{user}"
  HostKeyAlias {alias}
  HostKeyAlgorithms {algorithms}
  UserKnownHostsFile "{known_hosts}"
  ConnectTimeout {timeout}
  ControlMaster no
  ControlPath none
  Ciphers ^aes128-gcm@openssh.com,aes256-gcm@openssh.com
  Compression no
  EscapeChar none
  LogLevel ERROR
{sign_in}{proxy}{strict}"""
BY_KEY = '  IdentityFile "{key}"\n'
WITHOUT_KEY = "  PubkeyAuthentication no\n"
WITH_ASKING = """\
  PreferredAuthentications publickey,password,keyboard-interactive
  NumberOfPasswordPrompts 1
"""
WITHOUT_ASKING = "  BatchMode yes\n"


class Client:
    """Starts OpenSSH for hosts out of one private directory; many threads may ask it."""

    def __init__(self, directory: Path, sockets: Path, connect_timeout: float) -> None:
        """Take a private directory, and one with a short path for the sockets of connections to jump hosts."""
        self._directory = directory
        self._timeout = max(1, round(connect_timeout))
        self._jumps = Jumps(directory, sockets, connect_timeout)
        self._lock = threading.Lock()
        self._number = 0

    def start(self, target: Target, line: str) -> Started:
        """Run a line on a host; its stdin, stdout and stderr are pipes that do not block.

        Raises:
            HostRefusedError: the host has no accepted key, or a key does not open, or ssh would not take its address or user.
            OSError: ssh cannot be started.
        """
        with self._lock:
            self._number += 1
            own = self._directory / f"host-{self._number}"
            own.mkdir(mode=0o700)
            try:
                config, asking = self._write(own, target)
            except BaseException:
                shutil.rmtree(own, ignore_errors=True)
                raise
        words = ["ssh", "-F", str(config), "-T", "--", ALIAS, line]
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, words of ours
                [os.fsencode(word) for word in words],
                cwd=own,
                env={**self._environment(), **asking},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except BaseException:
            shutil.rmtree(own, ignore_errors=True)
            raise
        return Started(process, own)

    def _environment(self) -> dict[str, str]:
        # Its home is the private directory: by that it is found where its worker was lost (services/orphans.py).
        path = os.environ.get("PATH", "/usr/bin:/bin")
        return {"PATH": path, "HOME": str(self._directory), "LANG": "C.UTF-8"}

    def _write(self, own: Path, target: Target) -> tuple[Path, dict[str, str]]:
        _ensure_plain(target)
        key = pinned_key(target)
        proxy = ""
        if target.jump is not None:
            proxy = f"  ProxyCommand {self._jumps.command(target.jump)}\n"
            known = "".join(self._jumps.known_hosts())
            write_private(self._directory / "known_hosts", known)
        write_private(own / "known", f"{ALIAS} {key.public}\n")
        sign_in, asking = _sign_in(own, target)
        config = own / "config"
        values = {
            "alias": ALIAS,
            "address": target.address.replace("%", "%%"),
            "port": target.port,
            "user": target.login.user,
            "algorithms": ",".join(key.wire_algorithms()),
            "known_hosts": ssh_text(own / "known"),
            "timeout": self._timeout,
            "sign_in": sign_in,
            "proxy": proxy,
            "strict": STRICT,
        }
        write_private(config, CONFIG.format(**values))
        return config, asking


class Started:
    """A client that was started, and the private files of its host."""

    def __init__(self, process: subprocess.Popen[bytes], own: Path) -> None:
        self.process = process
        self._own = own
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
        if process.stdin is not None:
            # Fewer turns for the same bytes; more than the system allows is not given.
            with suppress(OSError):
                fcntl.fcntl(process.stdin, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def forget_secrets(self) -> None:
        """Remove its files: who is signed in needs them no more."""
        shutil.rmtree(self._own, ignore_errors=True)

    def end(self) -> None:
        """Kill what still lives, close the pipes, remove the files."""
        process = self.process
        if process.poll() is None:
            process.kill()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()
        self.forget_secrets()


def _sign_in(own: Path, target: Target) -> tuple[str, dict[str, str]]:
    """Return lines of settings, and what the environment says of the password: a program that prints it, never the password."""
    login, lines = target.login, ""
    if login.private_key:
        path = own / "key"
        write_private(path, openssh_text(open_private_key(login)))
        lines += BY_KEY.format(key=ssh_text(path))
    else:
        lines += WITHOUT_KEY
    if login.password is None:
        return lines + WITHOUT_ASKING, {}
    secret, ask = own / "secret", own / "ask"
    write_private(secret, f"{login.password}\n")
    write_private(ask, ASK.format(secret=shlex.quote(str(secret))), 0o700)
    asking = {
        "SSH_ASKPASS": str(ask),
        "SSH_ASKPASS_REQUIRE": "force",
        "DISPLAY": "none",
    }
    return lines + WITH_ASKING, asking


def _ensure_plain(target: Target) -> None:
    """Refuse what ssh would take for something else than an address or a user, of the host and of those on the way."""
    hop: Target | None = target
    while hop is not None:
        plain = ADDRESS.fullmatch(hop.address) and USER.fullmatch(hop.login.user)
        if not plain:
            raise HostRefusedError(f"OpenSSH does not take the address of {hop.label}.")
        hop = hop.jump

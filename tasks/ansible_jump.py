"""How OpenSSH reaches hosts through other hosts: one file of settings for each jump host, its key pinned like any other."""

from __future__ import annotations

import shlex
from pathlib import Path

from tasks.ansible_wiping import write_private
from tasks.keys import open_private_key, openssh_text
from tasks.targets import HostRefusedError, Target, pinned_key

ALIAS = "adminset-jump-"
MOST_JUMPS = 4
# For targets and jump hosts: only keys that were accepted, nothing of ours goes along, one connection for all.
STRICT = """\
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  CheckHostIP no
  UpdateHostKeys no
  IdentitiesOnly yes
  IdentityAgent none
  ForwardAgent no
  ServerAliveInterval 15
  ControlMaster auto
  ControlPersist 60
"""
# Of the jump host only; a target's own settings never reach it, and none of its questions reaches the target's password.
CONFIG = """\
Host {alias}
  HostName {address}
  Port {port}
  User "{user}"
  HostKeyAlias {alias}
  HostKeyAlgorithms {algorithms}
  UserKnownHostsFile "{known_hosts}"
  ConnectTimeout {timeout}
  ControlPath "{socket}"
{strict}{sign_in}{beyond}"""
BY_KEY = """\
  IdentityFile "{key}"
  BatchMode yes
"""
BY_ASKING = """\
  PubkeyAuthentication no
  PreferredAuthentications password,keyboard-interactive
  NumberOfPasswordPrompts 1
"""
ASK = """\
#!/bin/sh
exec cat {secret}
"""


class Jumps:
    """Writes what is needed for the jump hosts of a run into its private directory, each of them once."""

    def __init__(self, directory: Path, sockets: Path, timeout: float) -> None:
        self._directory = directory
        self._sockets = sockets
        self._timeout = max(1, round(timeout))
        self._known: list[tuple[Target, str]] = []

    def command(self, jump: Target, depth: int = 1) -> str:
        """Return the ProxyCommand through a jump host.

        Raises HostRefusedError where it has no accepted key or cannot be signed in to.
        """
        if depth > MOST_JUMPS:
            raise HostRefusedError(
                f"{jump.label} is reached through more than {MOST_JUMPS} jump hosts. "
                "Take some out of the way."
            )
        for known, command in self._known:
            if known == jump:
                return command
        beyond = self.command(jump.jump, depth + 1) if jump.jump else ""
        command = self._write(len(self._known), jump, beyond)
        self._known.append((jump, command))
        return command

    def logs(self) -> list[tuple[Target, Path]]:
        """Return where ssh writes what went wrong on the way to each jump host."""
        return [(jump, self._log(n)) for n, (jump, _) in enumerate(self._known)]

    def _log(self, number: int) -> Path:
        return self._directory / f"jump-{number}.log"

    def known_hosts(self) -> list[str]:
        """Return the lines of known_hosts for the jump hosts."""
        return [
            f"{ALIAS}{number} {pinned_key(jump).public}\n"
            for number, (jump, _) in enumerate(self._known)
        ]

    def _write(self, number: int, jump: Target, beyond: str) -> str:
        path = self._directory / f"jump-{number}.conf"
        key = pinned_key(jump)
        proxy = f"  ProxyCommand {beyond}\n" if beyond else ""
        sign_in, asking = self._sign_in(number, jump)
        values = {
            "alias": f"{ALIAS}{number}",
            "address": jump.address.replace("%", "%%"),
            "port": jump.port,
            "user": jump.login.user,
            "algorithms": ",".join(key.wire_algorithms()),
            "known_hosts": ssh_text(self._directory / "known_hosts"),
            "timeout": self._timeout,
            "socket": ssh_text(self._sockets / f"j{number}"),
            "strict": STRICT,
            "sign_in": sign_in,
            "beyond": proxy,
        }
        write_private(path, CONFIG.format(**values))
        file = shlex.quote(ssh_text(path))
        log = shlex.quote(ssh_text(self._log(number)))
        # ssh puts `exec` in front and would throw away what it says (ControlPersist); it replaces %h and %p here, and
        # nothing else holds a % that is not doubled.
        return f"env {asking} ssh -F {file} -W '[%h]:%p' -- {ALIAS}{number} 2>>{log}"

    def _sign_in(self, number: int, jump: Target) -> tuple[str, str]:
        """Return lines of settings and what the environment says of passwords.

        Ansible passes the target's password by the environment, so that of a jump host is always set anew.
        """
        if jump.login.private_key:
            path = self._directory / f"jump-{number}.key"
            write_private(path, openssh_text(open_private_key(jump.login)))
            never = "-u SSH_ASKPASS -u _ANSIBLE_SSH_ASKPASS_SHM"
            return BY_KEY.format(key=ssh_text(path)), never
        secret = self._directory / f"jump-{number}.secret"
        write_private(secret, f"{jump.login.password}\n")
        ask = self._directory / f"jump-{number}.ask"
        write_private(ask, ASK.format(secret=shlex.quote(str(secret))), 0o700)
        named = shlex.quote(ssh_text(ask))
        force = "SSH_ASKPASS_REQUIRE=force DISPLAY=none"
        return BY_ASKING, f"-u _ANSIBLE_SSH_ASKPASS_SHM SSH_ASKPASS={named} {force}"


def ssh_text(path: Path) -> str:
    """Return a path as ssh's options want it, where % starts a token."""
    return str(path).replace("%", "%%")

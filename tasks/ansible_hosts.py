"""The inventory of one Ansible run: its targets under names that are nothing but names, and how each is reached."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tasks.ansible_jump import Jumps, ssh_text
from tasks.ansible_results import HostResult
from tasks.ansible_variables import steers, unsafe
from tasks.ansible_wiping import write_private
from tasks.keys import open_private_key, openssh_text
from tasks.targets import HostRefusedError, Target, pinned_key

GROUP = "targets"
RESERVED = frozenset({"all", "ungrouped", "localhost", GROUP})
SAFE_NAME = re.compile(r"\w[\w.-]{0,99}")
# ssh reads options in what starts with a dash, and more in what holds quotes.
ADDRESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]*")
USER = re.compile(r"(?!-)[^\s\"'\x00-\x1f\x7f]+")


@dataclass
class Inventory:
    """The hosts of a run by their names in the inventory, and those that are not spoken to."""

    hosts: dict[str, dict[str, object]] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    refused: dict[str, HostResult] = field(default_factory=dict)
    known_hosts: list[str] = field(default_factory=list)
    stop_notes: list[dict[str, object]] = field(default_factory=list)
    jump_logs: list[tuple[Target, Path]] = field(default_factory=list)


class Builder:
    """Makes an inventory in a private directory; keys lie there, sockets of connections will."""

    def __init__(
        self, directory: Path, sockets: Path, connect_timeout: float, *, become: bool
    ) -> None:
        self._directory = directory
        self._sockets = sockets
        self._become = become
        self._jumps = Jumps(directory, sockets, connect_timeout)

    def build(self, targets: Sequence[Target]) -> Inventory:
        """Return the inventory; hosts without accepted key or readable private key are refused, with a sentence."""
        made = Inventory()
        for index, (name, target) in enumerate(inventory_names(targets).items()):
            try:
                values = self._host(index, target)
            except HostRefusedError as error:
                made.refused[target.name] = HostResult("unreachable", str(error))
                continue
            made.hosts[name] = values
            made.targets[name] = target
            made.known_hosts.append(f"adminset-{index} {pinned_key(target).public}\n")
            made.stop_notes.append(self._stop_note(index, target))
        made.known_hosts += self._jumps.known_hosts()
        made.jump_logs = self._jumps.logs()
        return made

    def _host(self, index: int, target: Target) -> dict[str, object]:
        values = {**_variables(target), **self._connection(index, target)}
        if self._become and target.login.become_method:
            values["ansible_become"] = True
        return values

    def _stop_note(self, index: int, target: Target) -> dict[str, object]:
        login = target.login
        return {
            "host": target.label,
            "socket": str(self._sockets / str(index)),
            "sudo": login.become_method == "sudo",
            "password": login.become_password,
        }

    def _connection(self, index: int, target: Target) -> dict[str, object]:
        """Return the ansible_* variables of one host; secrets are in this file only."""
        login = target.login
        _check(target)
        values: dict[str, object] = {
            "ansible_connection": "ssh",
            "ansible_host": target.address,
            "ansible_port": target.port,
            "ansible_user": login.user,
            "ansible_become_method": login.become_method or "sudo",
            "ansible_ssh_common_args": " ".join(self._ssh_options(index, target)),
        }
        if login.become_user:
            values["ansible_become_user"] = login.become_user
        if login.private_key:
            path = self._directory / f"key-{index}"
            write_private(path, openssh_text(open_private_key(login)))
            values["ansible_ssh_private_key_file"] = ssh_text(path)
        if login.password is not None:
            values["ansible_password"] = login.password
        if login.become_password is not None:
            values["ansible_become_password"] = login.become_password
        return {key: unsafe(value) for key, value in values.items()}

    def _ssh_options(self, index: int, target: Target) -> list[str]:
        options = [
            f"HostKeyAlias=adminset-{index}",
            f"HostKeyAlgorithms={','.join(pinned_key(target).wire_algorithms())}",
            f'ControlPath="{ssh_text(self._sockets)}/{index}"',
        ]
        if target.jump is not None:
            options.append(f"ProxyCommand={self._through(target)}")
        if not target.login.private_key:
            options.append("PubkeyAuthentication=no")
        return [f"-o {shlex.quote(option)}" for option in options]

    def _through(self, target: Target) -> str:
        """Return the ProxyCommand of a target; what is wrong with a jump host is said with the target's name."""
        jump = target.jump
        while jump is not None:
            try:
                _check(jump)
                pinned_key(jump)
            except HostRefusedError as error:
                raise HostRefusedError(
                    f"{target.label} is reached through {jump.label}. {error}"
                ) from error
            jump = jump.jump
        return self._jumps.command(target.jump) if target.jump else ""


def inventory_names(targets: Sequence[Target]) -> dict[str, Target]:
    """Give each target a name that Ansible takes as nothing but a name.

    Ansible reads patterns, ranges, ports and templates in host names; a name that
    could be one of these is replaced by a number.
    """
    names: dict[str, Target] = {}
    for index, target in enumerate(targets):
        plain = SAFE_NAME.fullmatch(target.name) and target.name not in RESERVED
        name = target.name if plain and target.name not in names else f"host-{index}"
        names[name if name not in names else f"host-{index}-of-adminset"] = target
    return names


def _variables(target: Target) -> dict[str, object]:
    for key in target.variables:
        if steers(key):
            raise HostRefusedError(
                f"The variable {key!r} of {target.label} cannot be given to Ansible: "
                "letters, digits and _ only, and never ansible_ in front. Rename it."
            )
    return {key: unsafe(value) for key, value in target.variables.items()}


def _check(target: Target) -> None:
    """Refuse what ssh would take for something else than an address or a user."""
    login = target.login
    if not ADDRESS.fullmatch(target.address):
        raise HostRefusedError(
            f"The address of {target.label} is neither a name nor an IP address. "
            "Correct it on the host's page."
        )
    users = [login.user, *([login.become_user] if login.become_user else [])]
    if not all(map(USER.fullmatch, users)):
        raise HostRefusedError(
            f"The user name of {target.label} holds characters that no user name has. "
            "Correct its credential."
        )
    if not login.private_key and login.password is None:
        raise HostRefusedError(
            f"The credential of {target.label} has neither a private key nor a "
            "password. Add one of them."
        )

"""The private directory of one Ansible run: inventory, keys, variables, roles, settings, environment."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.ansible_hosts import GROUP, Builder, Inventory
from tasks.ansible_jump import STRICT, ssh_text
from tasks.ansible_options import RunOptions
from tasks.ansible_results import HostResult
from tasks.ansible_roles import write_roles
from tasks.ansible_variables import unsafe
from tasks.ansible_wiping import hand_over, wipe, write_private
from tasks.ansible_words import jumps_of
from tasks.remote_stop import TOKEN_VARIABLE
from tasks.targets import Target

SSH_CONFIG = """\
Host *
  UserKnownHostsFile "{directory}/known_hosts"
{strict}"""
# The system's own Python first: others belong to users and may be only a shim.
PYTHONS = [
    "/usr/bin/python3",
    "/usr/libexec/platform-python",
    "/usr/local/bin/python3",
    "python3",
]
# A unix socket's path holds 107 bytes; ssh adds 17 of its own while it makes one.
LONGEST_SOCKET_DIRECTORY = 80
LONGEST_JUMP_WORDS = 1000
SETTINGS = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "PYTHONUNBUFFERED": "1",
    "ANSIBLE_HOST_KEY_CHECKING": "True",
    "ANSIBLE_INVENTORY_ENABLED": "yaml",
    "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
    "ANSIBLE_PYTHON_INTERPRETER": "auto_silent",
    "ANSIBLE_CACHE_PLUGIN": "memory",
    "ANSIBLE_NOCOLOR": "1",
    "ANSIBLE_PIPELINING": "True",
    "ANSIBLE_SSH_PASSWORD_MECHANISM": "ssh_askpass",
    "ANSIBLE_SSH_RETRIES": "0",
}
GATHERING = {None: "implicit", True: "implicit", False: "explicit"}


@dataclass(frozen=True)
class RunFiles:
    """Where one run keeps its things, and which targets stand in its inventory.

    `token` is in the environment of what runs on a host in the background (async).
    """

    directory: Path
    sockets: Path
    token: str
    targets: Mapping[str, Target]
    refused: Mapping[str, HostResult]
    jump_logs: Sequence[tuple[Target, Path]] = ()

    def jump_words(self, target: Target) -> str:
        """Return what ssh said last of the jump hosts on the way to a target."""
        way = jumps_of(target)
        logs = [path for jump, path in self.jump_logs if jump in way and path.exists()]
        texts = [path.read_text(errors="replace").strip() for path in logs]
        return " ".join(text for text in texts if text)[-LONGEST_JUMP_WORDS:]

    def stop_notes(self) -> Path:
        """Return the file that says how to end what runs on each host."""
        return self.directory / "stop.json"

    def inventory(self) -> Path:
        """Return the file that names the hosts."""
        return self.directory / "inventory.json"

    def variables(self) -> Path:
        """Return the file of the extra variables; it is there where there are any."""
        return self.directory / "variables.json"

    def finish(self, playbook: str, owner: tuple[int, int] | None) -> None:
        """Write the playbook; then all belongs to `owner`, when there is one."""
        write_private(self.directory / "project" / "play.yml", playbook)
        for folder in (self.directory, self.sockets):
            if owner is not None:
                hand_over(folder, owner)


@contextmanager
def run_files(
    targets: Sequence[Target], options: RunOptions, *, become: bool
) -> Iterator[RunFiles]:
    """Give a private directory (0700) below `options.private_root`, wiped at the end.

    With `become` every task becomes root where the login says how. Hosts without accepted key or readable private key
    are left out and explained. Raises OSError when the directory cannot be made.
    """
    root = options.private_root
    # Another user than the portal's must be able to pass through.
    root.mkdir(parents=True, exist_ok=True, mode=0o711 if options.owner else 0o700)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=root.resolve()))
    sockets = sockets_of(directory)
    try:
        for path in (directory / "tmp", directory / "project"):
            path.mkdir(exist_ok=True, mode=0o700)
        yield _fill(directory, sockets, targets, options, become=become)
    finally:
        wipe(directory, sockets)


def sockets_of(directory: Path) -> Path:
    """Make a folder for the sockets of a private directory: below it, or elsewhere where that would be too long."""
    sockets = directory / "c"
    if len(os.fsencode(sockets)) > LONGEST_SOCKET_DIRECTORY:
        return Path(tempfile.mkdtemp(prefix="adminset-"))
    sockets.mkdir(exist_ok=True, mode=0o700)
    return sockets


def _fill(
    directory: Path,
    sockets: Path,
    targets: Sequence[Target],
    options: RunOptions,
    *,
    become: bool,
) -> RunFiles:
    builder = Builder(directory, sockets, options.connect_timeout, become=become)
    made = builder.build(targets)
    token = secrets.token_hex(8)
    files = RunFiles(
        directory, sockets, token, made.targets, made.refused, made.jump_logs
    )
    # An empty file of ours keeps Ansible from looking for one elsewhere.
    write_private(directory / "ansible.cfg", "")
    write_private(directory / "known_hosts", "".join(made.known_hosts))
    write_private(
        directory / "ssh_config",
        SSH_CONFIG.format(directory=ssh_text(directory), strict=STRICT),
    )
    write_private(files.inventory(), _inventory(made, token))
    extra = {**options.variables, **options.secrets}
    if extra:
        write_private(files.variables(), json.dumps(unsafe(extra)))
    write_roles(directory / "project", options.roles)
    notes = [{**note, "token": token} for note in made.stop_notes]
    write_private(files.stop_notes(), json.dumps(notes))
    return files


def _inventory(made: Inventory, token: str) -> str:
    shared = {
        "ansible_interpreter_python_fallback": PYTHONS,
        # Jobs in the background leave their connection: they are found by this mark, which Ansible puts into their
        # environment on the host. In our own environment it would have our own processes taken for theirs.
        "ansible_async_dir": f"~/.ansible/tmp/{TOKEN_VARIABLE}={token}",
    }
    return json.dumps({GROUP: {"hosts": made.hosts, "vars": shared}})


def command_line(files: RunFiles, options: RunOptions) -> str:
    """Return what stands on the command line besides playbook, inventory and forks: never a value that somebody wrote."""
    words = options.play.words()
    if files.variables().exists():
        words += ["-e", f"@{files.variables()}"]
    return shlex.join(words)


def environment(files: RunFiles, callback: str, options: RunOptions) -> dict[str, str]:
    """Return the whole environment of the run: nothing of ours but PATH and the zone.

    `callback` is Ansible's name for how results are printed.
    """
    directory = files.directory
    ssh_config = str(directory / "ssh_config")
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    values = {
        **SETTINGS,
        "PATH": path,
        "HOME": str(directory),
        "TMPDIR": str(directory / "tmp"),
        "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
        "ANSIBLE_HOME": str(directory / "home"),
        "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
        "ANSIBLE_ROLES_PATH": str(directory / "project" / "roles"),
        "ANSIBLE_STDOUT_CALLBACK": callback,
        "ANSIBLE_GATHERING": GATHERING[options.play.facts],
        "ANSIBLE_SSH_ARGS": f"-F {shlex.quote(ssh_config)} -o ControlPersist=60",
        "ANSIBLE_TIMEOUT": str(max(1, round(options.connect_timeout))),
    }
    if options.play.mitogen:
        values["ANSIBLE_STRATEGY"] = "mitogen_linear"
        values["ANSIBLE_STRATEGY_PLUGINS"] = options.mitogen_path
    if zone := os.environ.get("TZ"):
        values["TZ"] = zone
    return values

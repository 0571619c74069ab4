"""The private directory of one Ansible run: inventory, keys, settings, environment."""

from __future__ import annotations

import json
import logging
import os
import re
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.ansible_results import HostResult
from tasks.keys import open_private_key, openssh_text
from tasks.targets import HostRefusedError, Target, pinned_key

GROUP = "targets"
RESERVED = frozenset({"all", "ungrouped", GROUP})
SAFE_NAME = re.compile(r"\w[\w.-]{0,99}")
# ssh reads options in what starts with a dash, and more in what holds quotes.
ADDRESS = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:%-]*")
USER = re.compile(r"(?!-)[^\s\"'\x00-\x1f\x7f]+")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SSH_CONFIG = """\
Host *
  UserKnownHostsFile "{directory}/known_hosts"
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
# The system's own Python first: others belong to users and may be only a shim.
PYTHONS = [
    "/usr/bin/python3",
    "/usr/libexec/platform-python",
    "/usr/local/bin/python3",
    "python3",
]
# A unix socket's path holds 107 bytes; ssh adds 17 of its own while it makes one.
LONGEST_SOCKET_DIRECTORY = 80
# Long enough for a process that was killed to be gone.
WIPES, WIPE_SECONDS = 50, 0.1
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunFiles:
    """Where one run keeps its things, and which targets stand in its inventory."""

    directory: Path
    sockets: Path
    targets: Mapping[str, Target]
    refused: Mapping[str, HostResult]

    def stop_notes(self) -> Path:
        """Return the file that says how to end what runs on each host."""
        return self.directory / "stop.json"


@contextmanager
def run_files(
    targets: Sequence[Target], private_root: Path, *, become: bool
) -> Iterator[RunFiles]:
    """Give a private directory (0700) below `private_root`, wiped at the end.

    With `become` every task becomes root where the login says how. Hosts without accepted key or readable private key are left out and explained.
    Raises OSError when the directory cannot be made.
    """
    private_root.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory = Path(tempfile.mkdtemp(prefix="run-", dir=private_root.resolve()))
    sockets = directory / "c"
    if len(os.fsencode(sockets)) > LONGEST_SOCKET_DIRECTORY:
        sockets = Path(tempfile.mkdtemp(prefix="adminset-"))
    try:
        for path in (sockets, directory / "tmp", directory / "project"):
            path.mkdir(exist_ok=True, mode=0o700)
        yield _fill(directory, sockets, targets, become=become)
    finally:
        wipe(directory, sockets)


def wipe(*folders: Path) -> None:
    """Remove private folders; what a dying process still writes there goes with the next try."""
    for _ in range(WIPES):
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        if not any(folder.exists() for folder in folders):
            return
        time.sleep(WIPE_SECONDS)
    logger.error("the private directory of a run could not be removed: %s", folders)


def _fill(
    directory: Path, sockets: Path, targets: Sequence[Target], *, become: bool
) -> RunFiles:
    names = _inventory_names(targets)
    hosts: dict[str, dict[str, object]] = {}
    refused: dict[str, HostResult] = {}
    known = []
    for index, (name, target) in enumerate(names.items()):
        try:
            key = pinned_key(target)
            known.append(f"adminset-{index} {key.public}\n")
            hosts[name] = {
                **_variables(target),
                **_connection(directory, sockets, index, target),
            }
            if become and target.login.become_method:
                hosts[name]["ansible_become"] = True
        except HostRefusedError as error:
            refused[target.name] = HostResult("unreachable", str(error))
    # An empty file of ours keeps Ansible from looking for one elsewhere.
    write_private(directory / "ansible.cfg", "")
    write_private(directory / "known_hosts", "".join(known))
    write_private(
        directory / "ssh_config", SSH_CONFIG.format(directory=_ssh_text(directory))
    )
    shared = {"ansible_interpreter_python_fallback": PYTHONS}
    inventory = {GROUP: {"hosts": hosts, "vars": shared}}
    write_private(directory / "inventory.json", json.dumps(inventory))
    chosen = {name: names[name] for name in hosts}
    files = RunFiles(directory, sockets, chosen, refused)
    _write_stop_notes(files, list(names))
    return files


def _inventory_names(targets: Sequence[Target]) -> dict[str, Target]:
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


def unsafe(value: object) -> object:
    """Return a JSON value in which Ansible evaluates no text as a template."""
    if isinstance(value, str):
        return {"__ansible_unsafe": value}
    if isinstance(value, Mapping):
        return {str(key): unsafe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [unsafe(item) for item in value]
    return value


def _variables(target: Target) -> dict[str, object]:
    for key in target.variables:
        if not VARIABLE.fullmatch(key) or key.lower().startswith("ansible_"):
            raise HostRefusedError(
                f"The variable {key!r} of {target.label} cannot be given to Ansible: "
                "letters, digits and _ only, and never ansible_ in front. Rename it."
            )
    return {key: unsafe(value) for key, value in target.variables.items()}


def _connection(
    directory: Path, sockets: Path, index: int, target: Target
) -> dict[str, object]:
    """Return the ansible_* variables of one host; secrets are in this file only."""
    login = target.login
    _check(target)
    algorithms = ",".join(pinned_key(target).wire_algorithms())
    options = [
        f"-o HostKeyAlias=adminset-{index}",
        f"-o HostKeyAlgorithms={algorithms}",
        "-o " + shlex.quote(f'ControlPath="{_ssh_text(sockets)}/{index}"'),
    ]
    values: dict[str, object] = {
        "ansible_connection": "ssh",
        "ansible_host": target.address,
        "ansible_port": target.port,
        "ansible_user": login.user,
        "ansible_become_method": login.become_method or "sudo",
    }
    if login.private_key:
        path = directory / f"key-{index}"
        write_private(path, openssh_text(open_private_key(login)))
        values["ansible_ssh_private_key_file"] = _ssh_text(path)
    else:
        options.append("-o PubkeyAuthentication=no")
    if login.password is not None:
        values["ansible_password"] = login.password
    if login.become_password is not None:
        values["ansible_become_password"] = login.become_password
    values["ansible_ssh_common_args"] = " ".join(options)
    return {key: unsafe(value) for key, value in values.items()}


def _check(target: Target) -> None:
    """Refuse what ssh would take for something else than an address or a user."""
    login = target.login
    if not ADDRESS.fullmatch(target.address):
        raise HostRefusedError(
            f"The address of {target.label} is neither a name nor an IP address. "
            "Correct it on the host's page."
        )
    if not USER.fullmatch(login.user):
        raise HostRefusedError(
            f"The user name of {target.label} holds characters that no user name has. "
            "Correct its credential."
        )
    if not login.private_key and login.password is None:
        raise HostRefusedError(
            f"The credential of {target.label} has neither a private key nor a "
            "password. Add one of them."
        )


def _ssh_text(path: Path) -> str:
    """Return a path as ssh's options want it, where % starts a token."""
    return str(path).replace("%", "%%")


def _write_stop_notes(files: RunFiles, names: list[str]) -> None:
    notes = []
    for name, target in files.targets.items():
        login = target.login
        notes.append(
            {
                "host": target.label,
                "socket": str(files.sockets / str(names.index(name))),
                "sudo": login.become_method == "sudo",
                "password": login.become_password,
            }
        )
    write_private(files.stop_notes(), json.dumps(notes))


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody but its owner may read, from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def environment(
    files: RunFiles, callback: str, connect_timeout: float
) -> dict[str, str]:
    """Return the whole environment of the run: nothing of ours but PATH and the zone.

    `callback` is Ansible's name for how results are printed, `connect_timeout` is in
    seconds.
    """
    directory = files.directory
    ssh_config = str(directory / "ssh_config")
    path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
    values = {
        "PATH": path,
        "HOME": str(directory),
        "TMPDIR": str(directory / "tmp"),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        "ANSIBLE_CONFIG": str(directory / "ansible.cfg"),
        "ANSIBLE_HOME": str(directory / "home"),
        "ANSIBLE_LOCAL_TEMP": str(directory / "tmp"),
        "ANSIBLE_STDOUT_CALLBACK": callback,
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_INVENTORY_ENABLED": "yaml",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "True",
        "ANSIBLE_PYTHON_INTERPRETER": "auto_silent",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_SSH_PASSWORD_MECHANISM": "ssh_askpass",
        "ANSIBLE_SSH_RETRIES": "0",
        "ANSIBLE_SSH_ARGS": f"-F {shlex.quote(ssh_config)} -o ControlPersist=60",
        "ANSIBLE_TIMEOUT": str(max(1, round(connect_timeout))),
    }
    if zone := os.environ.get("TZ"):
        values["TZ"] = zone
    return values

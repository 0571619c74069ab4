"""Where git may go and with what: the address resolved and pinned, secrets in private files, the server's key asked for."""

import os
import re
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from adminset.crypto import Secret
from adminset.outbound import reachable
from tasks.git_checks import check_branch, check_git_url, place_of, protocol_of
from tasks.library.git_process import GitError, Limits, Workplace, limits_of_library

KNOWN_HOSTS = "known_hosts"
LOGIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]{0,63}")
# git asks with a sentence, ssh too; what they are given stands in files beside the script.
ASKPASS = """#!/bin/sh
case "$1" in
    [Uu]sername*) exec cat {username} ;;
    *passphrase*) exec cat {passphrase} ;;
    *) exec cat {password} ;;
esac
"""


class Remote(Protocol):
    """What is read: a repository of the library, or of a project. No host key: the one that is shown first is kept."""

    url: Any
    branch: Any
    credential: Any
    host_key: Any


@contextmanager
def workplace(
    source: Remote, *, root: Path | None = None, limits: Limits | None = None
) -> Iterator[Workplace]:
    """Make a private folder for one reading of a repository; it is wiped whatever happens.

    Args:
        root: where such folders are made; none: where the library has them.

    Raises:
        GitError: the address or branch is not allowed.
        OutboundError: the address leads where the portal may not go.
    """
    _check(source)
    with empty_workplace(
        root or Path(settings.LIBRARY_DIR) / "git", limits or limits_of_library()
    ) as place:
        _equip(place, source)
        yield place


@contextmanager
def empty_workplace(root: Path, limits: Limits) -> Iterator[Workplace]:
    """Make a private folder for one reading, with nothing in it."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    _wipe_left(root, limits)
    folder = Path(tempfile.mkdtemp(dir=root, prefix="read-"))
    deadline = time.monotonic() + limits.seconds
    place = Workplace(folder, deadline=deadline, limits=limits)
    try:
        yield place
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check(source: Remote) -> None:
    """Ask again at the moment of use: a setting may be stricter now, and rows come in by other ways than forms."""
    try:
        check_git_url(source.url)
        check_branch(source.branch)
    except ValidationError as error:
        raise GitError(" ".join(error.messages), code="git_refused") from error


def _wipe_left(root: Path, limits: Limits) -> None:
    """Take away what a worker left that died in the middle."""
    old = time.time() - 2 * limits.seconds - 60
    for folder in root.glob("read-*"):
        if folder.lstat().st_mtime < old:
            shutil.rmtree(folder, ignore_errors=True)


def _equip(place: Workplace, source: Remote) -> None:
    scheme = protocol_of(source.url)
    if scheme == "file":
        return
    host, port = place_of(source.url)
    address = reachable(host, port)
    give_secrets(place, source.credential)
    if scheme == "https":
        if host != address:
            # The name is not asked for a second time: who answers then could be somebody else.
            shown = f"[{address}]" if ":" in address else address
            place.options.append(f"http.curloptResolve={host}:{port}:{shown}")
    else:
        configure_ssh(place, source, host, port, address)


def give_secrets(place: Workplace, credential: Any) -> None:
    """Lay user name and secrets of a credential beside a script that gives them to git and ssh; no line names them."""
    if credential is None:
        return
    given = {
        "username": credential.username,
        "password": opened(credential.password),
        "passphrase": opened(credential.passphrase),
    }
    paths = {name: _private(place.folder / name, text) for name, text in given.items()}
    quoted = {name: shlex.quote(str(path)) for name, path in paths.items()}
    script = _private(place.folder / "askpass", ASKPASS.format(**quoted), mode=0o700)
    place.secrets += [given["password"], given["passphrase"]]
    place.environment |= {
        "GIT_ASKPASS": str(script),
        "SSH_ASKPASS": str(script),
        "SSH_ASKPASS_REQUIRE": "force",
        "DISPLAY": ":none",
    }


def opened(sealed: Any) -> str:
    """Open a secret of a credential; what was just typed is a plain text."""
    return sealed.reveal() if isinstance(sealed, Secret) else str(sealed or "")


def _private(path: Path, text: str, mode: int = 0o600) -> Path:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def configure_ssh(
    place: Workplace, source: Remote, host: str, port: int, address: str
) -> None:
    """Write ssh's whole configuration: no file of the machine is read, and the server has to show the key that we know."""
    known = _private(place.folder / KNOWN_HOSTS, source.host_key.strip() + "\n")
    credential = source.credential
    key = opened(credential.private_key) if credential else ""
    lines = [
        "Host *",
        f"HostName {address}",
        f"HostKeyAlias {alias_of(host, port)}",
        "CheckHostIP no",
        f"UserKnownHostsFile {_quoted(known)}",
        "GlobalKnownHostsFile /dev/null",
        f"StrictHostKeyChecking {'yes' if source.host_key.strip() else 'accept-new'}",
        "HashKnownHosts no",
        "UpdateHostKeys no",
        "IdentitiesOnly yes",
        "IdentityAgent none",
        "ForwardAgent no",
        "ClearAllForwardings yes",
        "PermitLocalCommand no",
        "ProxyCommand none",
        "ControlMaster no",
        "ControlPath none",
        "NumberOfPasswordPrompts 1",
        f"BatchMode {'no' if credential else 'yes'}",
        f"ConnectTimeout {settings.RUN_CONNECT_TIMEOUT_SECONDS}",
    ]
    if credential and LOGIN.fullmatch(credential.username):
        # Only where the address names nobody: git says that on ssh's command line, which counts more.
        lines.append(f"User {credential.username}")
    if key:
        path = _private(place.folder / "key", key.strip() + "\n")
        lines.append(f"IdentityFile {_quoted(path)}")
        place.secrets.append(key)
    else:
        lines.append("IdentityFile none")
    config = _private(place.folder / "ssh_config", "\n".join(lines) + "\n")
    # git gives this to a shell: the path is ours, and quoted.
    place.environment |= {
        "GIT_SSH_COMMAND": f"ssh -F {shlex.quote(str(config))}",
        "GIT_SSH_VARIANT": "ssh",
    }


def alias_of(host: str, port: int) -> str:
    """Name a server as known_hosts does."""
    return host if port == 22 else f"[{host}]:{port}"


def _quoted(path: Path) -> str:
    """Write a path for ssh's configuration, where percent signs stand for something."""
    text = str(path)
    if any(sign in text for sign in '"\n'):
        raise GitError(
            _("The folder of ADMINSET_DATA_DIR has signs that ssh cannot read.")
        )
    return '"{}"'.format(text.replace("%", "%%"))


def learnt_key(place: Workplace) -> str:
    """Give the key that an ssh server showed; "" where there was none."""
    path = place.folder / KNOWN_HOSTS
    return path.read_text(encoding="utf-8").strip()[:8000] if path.is_file() else ""

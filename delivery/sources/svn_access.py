"""Where svn may go and with what: addresses that are allowed, a configuration of its own, the password by standard input."""

import os
import re
import shlex
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from adminset.errors import Unavailable
from adminset.outbound import reachable
from delivery.sources.face import SourceError
from delivery.sources.git_mirror import Repository
from tasks.library.git_access import (
    configure_ssh,
    empty_workplace,
    give_secrets,
    opened,
)
from tasks.library.git_process import Limits, Workplace, run_program

PORTS = {"https": 443, "http": 80, "svn": 3690, "svn+ssh": 22}
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,63}")
# What svn asks of nobody and keeps nowhere, whatever the machine's own configuration says.
CONFIG = "[auth]\npassword-stores =\nstore-passwords = no\nstore-auth-creds = no\n"
SERVERS = "[global]\nstore-plaintext-passwords = no\nssl-trust-default-ca = yes\nhttp-timeout = {timeout}\n{further}"


def check_svn_url(url: str) -> None:
    """Accept the address of an svn repository, or of a folder of it, in a protocol of ADMINSET_SOURCE_SVN_PROTOCOLS.

    Raises:
        ValidationError: a sentence.
    """
    scheme = url.partition("://")[0]
    if any(unicodedata.category(sign)[0] == "C" or sign == " " for sign in url):
        raise ValidationError(_("It has signs in it that cannot be seen."))
    allowed = settings.SOURCE_SVN_PROTOCOLS
    if "://" not in url or scheme not in {*PORTS, "file"} or scheme not in allowed:
        raise ValidationError(
            _("svn repositories are read by %(allowed)s only."),
            params={"allowed": ", ".join(allowed)},
        )
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        raise ValidationError(_("This is no address of a repository.")) from None
    _check_parts(parts.path, parts.query + parts.fragment)
    if parts.password is not None:
        raise ValidationError(
            _("Leave the password out of the address: choose a credential.")
        )
    if (scheme == "file") != (not parts.netloc) or (host and not _HOST.fullmatch(host)):
        raise ValidationError(_("The address names no host."))
    if parts.username is not None and not (
        scheme == "svn+ssh" and _USER.fullmatch(parts.username)
    ):
        raise ValidationError(_("The user name in the address is not a plain one."))


def _check_parts(path: str, rest: str) -> None:
    parts = path.split("/")
    if rest or "\\" in path or any(part in (".", "..") for part in parts):
        raise ValidationError(_("This is no address of a repository."))
    if any(part.startswith("-") for part in parts):
        raise ValidationError(_("The path may not begin with a dash."))


def address_of(url: str, path: str, peg: int | None = None) -> str:
    """Write an address for svn: the path encoded, and `@` behind, so that no `@` in a name counts as a revision."""
    scheme, rest, at = (
        *url.rstrip("/").partition("://")[::2],
        "" if peg is None else peg,
    )
    host, slash, folder = rest.partition("/")
    whole = "/".join(part for part in (folder, path) if part)
    return f"{scheme}://{host}{slash or '/'}{quote(whole, safe='/%')}@{at}"


@contextmanager
def workplace(repository: Repository, limits: Limits) -> Iterator["Svn"]:
    """Make a private folder in which svn works, with its configuration; it is wiped whatever happens.

    Raises:
        DomainError: the address is not allowed, or leads where the portal may not go.
    """
    try:
        check_svn_url(repository.url)
    except ValidationError as error:
        words = " ".join(error.messages)
        raise SourceError(words, code="source_refused", status=422) from None
    with empty_workplace(Path(settings.BUILD_DIR) / "reads", limits) as place:
        yield Svn(place, repository)


class Svn:
    """svn, ready to read one repository."""

    def __init__(self, place: Workplace, repository: Repository) -> None:
        self.place = place
        self.url = repository.url
        self._password = ""
        self._user: list[str] = []
        self._equip(repository)

    def run(self, command: str, *arguments: str) -> bytes:
        """Run `svn <command>`; the arguments end with the address.

        Raises:
            DomainError: what svn said.
        """
        return self._run([command, *arguments]).read_bytes()

    def _run(self, words: Sequence[str]) -> Path:
        argv = [
            svn_program(),
            *words[:1],
            "--non-interactive",
            "--no-auth-cache",
            "--config-dir",
            str(self.place.folder / "config"),
            *self._user,
            *words[1:],
        ]
        return run_program(
            self.place,
            argv,
            {
                "PATH": os.defpath,
                "HOME": str(self.place.folder),
                "LC_ALL": "C.UTF-8",
                **self.place.environment,
            },
            given=self._password.encode(),
            most=self.place.limits.answer,
        )

    def _equip(self, repository: Repository) -> None:
        parts = urlsplit(repository.url)
        folder = self.place.folder / "config"
        folder.mkdir(mode=0o700)
        (folder / "config").write_text(CONFIG)
        authority = settings.OUTBOUND_CA_FILE
        further = f"ssl-authority-files = {authority}\n" if authority else ""
        timeout = min(self.place.limits.seconds, 600)
        (folder / "servers").write_text(
            SERVERS.format(timeout=timeout, further=further)
        )
        if parts.scheme == "file":
            return
        host, port = (parts.hostname or ""), parts.port or PORTS[parts.scheme]
        address = reachable(host, port)
        if parts.scheme == "svn+ssh":
            self._equip_ssh(repository, host, port, address)
            return
        if parts.scheme == "svn":
            # The name is not asked for a second time; https has its certificate to prove itself.
            shown = f"[{address}]" if ":" in address else address
            self.url = f"svn://{shown}:{port}{parts.path}"
        self._give_password(repository.credential)

    def _give_password(self, credential: Any) -> None:
        if credential is None:
            return
        self._password = opened(credential.password)
        self.place.secrets.append(self._password)
        if _USER.fullmatch(credential.username):
            self._user = ["--username", credential.username]
        if self._password:
            self._user.append("--password-from-stdin")

    def _equip_ssh(
        self, repository: Repository, host: str, port: int, address: str
    ) -> None:
        give_secrets(self.place, repository.credential)
        configure_ssh(self.place, repository, host, port, address)
        config = self.place.folder / "ssh_config"
        # svn splits this into words as a shell would, and appends user, host and `svnserve -t`; -p: it drops the port itself.
        command = f"ssh -q -F {shlex.quote(str(config))} -p {port}"
        self.place.environment["SVN_SSH"] = command


def svn_program() -> str:
    """Find svn on this machine.

    Raises:
        Unavailable: it is not installed.
    """
    found = shutil.which("svn", path=os.defpath) or shutil.which("svn")
    if found is None:
        raise Unavailable(
            _("svn is not installed on the portal's machine."),
            _("Install it (apt-get install subversion), then try again."),
            code="no_svn",
        )
    return found

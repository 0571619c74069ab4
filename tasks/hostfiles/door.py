"""Opens the files of a host: an SFTP session as the login of the host's credential, never as root by sudo."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError, NotFound, Unavailable
from cmdb.logins import login_for
from cmdb.models import Host
from tasks.hostfiles import paths
from tasks.sites.ways import from_portal, login_of
from tasks.ssh import sftp_wire as wire
from tasks.ssh.connect import Connection
from tasks.ssh.jumps import dial
from tasks.ssh.pool import connected
from tasks.ssh.sftp import TROUBLE, Sftp, open_sftp
from tasks.ssh.sftp_wire import Attributes, SftpError
from tasks.ssh.ways import Patience
from tasks.targets import HostRefusedError, Target

Found = TypeVar("Found")


@dataclass
class Files:
    """The files of one host, for one thread at a time."""

    host: Host
    connection: Connection
    sftp: Sftp

    @property
    def login(self) -> str:
        """Name of the user on the host."""
        return self.connection.target.login.user

    def home(self) -> bytes:
        """Give the folder in which the login begins."""
        return self.on(b".", self.sftp.real_path, b".")

    def on(self, path: bytes, act: Callable[..., Found], *values: Any) -> Found:
        """Do something with a path; what the host refuses becomes a sentence about that path.

        Raises:
            DomainError: the host refuses.
        """
        try:
            return act(*values)
        except SftpError as error:
            raise self.refusal(error, path) from error

    def look(self, path: bytes) -> Attributes:
        """Say what stands at a path, of which every folder is one and no link.

        Raises:
            NotFound: there is nothing.
            Conflict: the way leads through a link (code `through_link`; the true path is in `fields["path"]`).
        """
        self.check_way(path)
        return self.on(path, self.sftp.look, path)

    def look_if_there(self, path: bytes) -> Attributes | None:
        """Say what stands at a path; None where nothing does. Raises as `look`."""
        try:
            return self.look(path)
        except NotFound:
            return None

    def check_way(self, path: bytes) -> None:
        """Refuse a path whose folders are not what they seem: whoever follows a link shall know where it leads.

        Raises:
            Conflict: the way leads through a link. NotFound: the folder is not there.
        """
        folder = paths.parent_of(path)
        real = self.on(folder, self.sftp.real_path, folder)
        if real == folder:
            return
        true = paths.join(real, paths.name_of(path))
        raise Conflict(
            _("%(path)s leads through a link; it is %(true)s.")
            % {"path": paths.shown(path), "true": paths.shown(true)},
            _("Go to the true path if that is what you want."),
            code="through_link",
            fields={"path": paths.written(true)},
        )

    def is_link(self, path: bytes) -> DomainError:
        """Put into words that a link stands there, and where it leads (code `through_link`)."""
        true = self.on(path, self.sftp.real_path, path)
        return DomainError(
            _("%(path)s is a link to %(true)s.")
            % {"path": paths.shown(path), "true": paths.shown(true)},
            _("Go there if that is what you want."),
            code="through_link",
            fields={"path": paths.written(true)},
            status=409,
        )

    def refusal(self, error: SftpError, path: bytes) -> DomainError:
        """Put into words what the host refused."""
        told = {
            "path": paths.shown(path),
            "host": self.host.hostname,
            "login": self.login,
        }
        if error.code == wire.MISSING:
            words = _("There is no %(path)s on %(host)s.")
            return NotFound(words % told, code="no_such_file")
        if error.code == wire.DENIED:
            return DomainError(
                _("%(host)s does not let %(login)s do this with %(path)s.") % told,
                _("Its owner or mode stands in the way."),
                code="host_denies",
            )
        return DomainError(
            _("%(host)s refuses this with %(path)s.") % told,
            _("It says: %(words)s.") % {"words": str(error).rstrip(".")},
            code="host_refuses",
        )


@contextmanager
def files_of(host: Host) -> Iterator[Files]:
    """Open the files of a host (bring `credential` and `idc` along); the connection is kept for a short time afterwards.

    Raises:
        Unavailable: it cannot be reached, shows another key than the accepted one, has no SFTP, or breaks off.
        DomainError: no credential, no address, no way; and what the block raises itself.
    """
    target = _target_of(host)
    refused: DomainError | None = None
    try:
        with connected(target, _patience(), dial) as connection:
            sftp = _session(connection, target)
            try:
                yield Files(host, connection, sftp)
            except DomainError as error:
                # A refusal says nothing against the connection.
                refused = error
            finally:
                sftp.close()
    except HostRefusedError as error:
        raise Unavailable(str(error), code="unreachable") from error
    except TROUBLE as error:
        raise broken(host, error) from error
    if refused is not None:
        raise refused


def is_same(inside: Attributes, found: Attributes) -> bool:
    """Say whether an open file may be what was looked at: what a link leads to has an owner or a mode of its own."""
    return (inside.uid, inside.gid, inside.mode) == (found.uid, found.gid, found.mode)


def broken(host: Host, error: Exception) -> Unavailable:
    """Say that the connection to a host did not hold."""
    words = str(getattr(error, "strerror", None) or error or type(error).__name__)
    return Unavailable(
        _("The connection to %(host)s broke.") % {"host": host},
        _("Try again; it said: %(words)s.") % {"words": words.rstrip(".")[:200]},
        code="broken",
    )


def _patience() -> Patience:
    return Patience(settings.RUN_CONNECT_TIMEOUT_SECONDS)


def _target_of(host: Host) -> Target:
    found = login_for(host)
    # Nobody becomes root here: what needs root needs root's own credential.
    login = replace(login_of(found), become_method="")
    key = found.host_key or None
    target = Target(found.hostname, found.address, found.port, login, key)
    return from_portal(host, target)


def _session(connection: Connection, target: Target) -> Sftp:
    try:
        return open_sftp(connection, settings.FILES_STALL_SECONDS)
    except TROUBLE as error:
        raise HostRefusedError(
            f"{target.label} signed {target.login.user} in but has no SFTP for it. "
            "Check `Subsystem sftp` in its sshd_config."
        ) from error


_busy: Counter[int] = Counter()
_lock = threading.Lock()


@contextmanager
def transfer_of(user_id: int) -> Iterator[None]:
    """Let a user do so many transfers at a time in this process.

    Raises:
        Conflict: there are too many already.
    """
    most = settings.FILES_TRANSFERS_MOST
    with _lock:
        if _busy[user_id] >= most:
            raise Conflict(
                _("You have %(most)s transfers going on already.") % {"most": most},
                _("Wait for the end of one, or raise ADMINSET_FILES_TRANSFERS_MOST."),
                code="too_many_transfers",
                status=429,
                retry_after=5,
            )
        _busy[user_id] += 1
    try:
        yield
    finally:
        with _lock:
            _busy[user_id] -= 1
            if not _busy[user_id]:
                del _busy[user_id]

"""What the programs on the hosts are told about one deploy: plain values, checked once, before anything is asked for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError
from delivery.onhost.names import is_for_hooks

RELEASE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}", re.ASCII)
ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,99}", re.ASCII)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
PORT = re.compile(r"\d{1,5}", re.ASCII)
# The kernel takes no longer string in an environment (128 KiB).
LONGEST_VALUE = 100_000
LONGEST_PATH = 1000
_FOLDERS = (
    "/ /bin /boot /dev /etc /home /lib /lib32 /lib64 /media /mnt /opt /proc /root /run /sbin /srv /sys /tmp /usr /usr/local"
    " /usr/share /var /var/backups /var/cache /var/lib /var/local /var/log /var/mail /var/spool /var/tmp"
)
_TREES = (
    "/bin /boot /dev /etc /lib /lib32 /lib64 /proc /sbin /sys /usr/bin /usr/include /usr/lib /usr/lib32 /usr/lib64"
    " /usr/libexec /usr/sbin /usr/local/bin /usr/local/etc /usr/local/lib /usr/local/sbin /var/run"
)
SYSTEM_FOLDERS = frozenset(_FOLDERS.split())
# Nothing below these is anybody's deploy path either.
SYSTEM_TREES = tuple(f"{one}/" for one in _TREES.split())


@dataclass(frozen=True, kw_only=True)
class Hooks:
    """Texts for /bin/sh on the hosts, empty where there is nothing to do. `switch` makes it blue-green."""

    before_switch: str = ""
    drain: str = ""
    restart: str = ""
    switch: str = ""
    after_switch: str = ""
    back: str = ""


@dataclass(frozen=True, kw_only=True)
class Health:
    """What says that a host is well: kind is none, command, http or tcp; all times in seconds."""

    kind: str = "none"
    target: str = ""
    content: str = ""
    wait_seconds: int = 0
    timeout_seconds: int = 10
    attempts: int = 10
    pause_seconds: int = 3

    @property
    def most_seconds(self) -> int:
        """How long all tries may take."""
        if self.kind == "none":
            return 0
        # A command that does not end is given ten seconds more before it is killed.
        each = self.timeout_seconds + self.pause_seconds + 10
        return self.wait_seconds + self.attempts * each


@dataclass(frozen=True, kw_only=True)
class HostContext:
    """One deploy as its hosts are told of it.

    Attributes:
        root: the deploy path on the hosts. release: name of the release, such as 41-9f3c02aa. shared: paths within a release; a
            folder ends in a slash. brings: files of them that the artefact holds; None while it is not built. keep: good releases
            that stay; pins: more that stay. host_variables, host_secrets: reach the hooks of one host each.
        stage_timeout: seconds for one hook; forks: hosts at once. ports: such as 8080/tcp, must be free where nothing is live.
            need_bytes, need_files: what a release takes. log_path: whose end is shown where health is bad. word: how the log of the
            host calls the end. bad_too: also a release that is marked as bad may be made live; mark_bad: what was live when it
            goes back is marked as failed.
    """

    root: str
    deploy_id: int
    who: str = ""
    reason: str = ""
    release: str = ""
    artefact_sha256: str = ""
    commit: str = ""
    branch: str = ""
    project: str = ""
    environment: str = ""
    batch: str = ""
    rollback: bool = False
    bad_too: bool = False
    mark_bad: bool = False
    word: str = ""
    shared: tuple[str, ...] = ()
    brings: tuple[str, ...] | None = ()
    keep: int = 5
    pins: tuple[str, ...] = ()
    hooks: Hooks = field(default_factory=Hooks)
    health: Health = field(default_factory=Health)
    run_user: str = ""
    run_group: str = ""
    log_path: str = ""
    ports: tuple[str, ...] = ()
    need_bytes: int = 0
    need_files: int = 0
    host_variables: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    host_secrets: Mapping[int, Mapping[str, str]] = field(
        default_factory=dict, repr=False
    )
    host_names: Mapping[int, str] = field(default_factory=dict)
    stage_timeout: int = 1800
    forks: int = 20
    urgent: bool = False

    def __post_init__(self) -> None:
        """Refuse what no host should be told.

        Raises:
            DomainError: a sentence that says what.
        """
        # Who writes /srv/shop/ means /srv/shop.
        object.__setattr__(self, "root", self.root.rstrip("/") or "/")
        check_root(self.root)
        if self.release:
            check_release(self.release)
        for name in (*self.pins,):
            check_release(name)
        for path in (*self.shared, *(self.brings or ())):
            _check_shared(path)
        for who in (self.run_user, self.run_group):
            if who and not ACCOUNT.fullmatch(who):
                raise _wrong(_("%(text)s is no name of an account."), who)
        _check_health(self.health)
        for own in (*self.host_variables.values(), *self.host_secrets.values()):
            _check_variables(own)


def of_environment(environment: Any, *, who: str = "", **more: Any) -> HostContext:
    """Give the context of what is done on the hosts of an environment without a deploy.

    Args:
        environment: of appconf. who: name of the person; "" where nobody wants it.

    Raises:
        DomainError: its deploy path is none.
    """
    return HostContext(
        root=environment.path,
        deploy_id=0,
        who=who,
        project=environment.project.code,
        environment=environment.code,
        **more,
    )


def check_root(root: str) -> None:
    """Accept a deploy path such as /srv/shop.

    Raises:
        DomainError: it is not absolute, leads astray, or is a folder of the system.
    """
    parts = root.split("/")[1:]
    if CONTROL.search(root) or len(root.encode(errors="replace")) > LONGEST_PATH:
        raise _wrong(_("The deploy path %(text)s cannot be used."), root)
    if not root.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise _wrong(
            _("%(text)s is no deploy path: write it out from /, as in /srv/shop."), root
        )
    if root in SYSTEM_FOLDERS or f"{root}/".startswith(SYSTEM_TREES):
        raise _wrong(
            _("%(text)s is a folder of the system. Choose one of its own below it."),
            root,
        )


def check_release(name: str) -> None:
    """Accept the name of a release; raises DomainError."""
    if not RELEASE.fullmatch(name):
        raise _wrong(_("%(text)s is no name of a release."), name)


def _check_shared(path: str) -> None:
    parts = path.removesuffix("/").split("/")
    astray = any(part in ("", ".", "..") for part in parts)
    if astray or path.startswith("-") or CONTROL.search(path) or "\\" in path:
        raise _wrong(_("%(text)s is no path within a release."), path)


def _check_health(health: Health) -> None:
    target = health.target
    if health.kind == "http" and not target.startswith(("http://", "https://")):
        raise _wrong(_("%(text)s is no HTTP address to ask for health."), target)
    if health.kind in ("http", "tcp") and (CONTROL.search(target) or " " in target):
        raise _wrong(_("%(text)s is no address to ask for health."), target)
    if health.kind == "tcp":
        host, _colon, port = target.rpartition(":")
        if not host or host.startswith("-") or not PORT.fullmatch(port):
            raise _wrong(
                _("%(text)s is no address and port, such as 127.0.0.1:8000."), target
            )
    if health.kind not in ("none", "command", "http", "tcp"):
        raise _wrong(_("%(text)s is no way to ask for health."), health.kind)


def _check_variables(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        if not is_for_hooks(name):
            raise _wrong(_("No variable of a hook can be called %(text)s."), name)
        if "\0" in value or len(value.encode(errors="replace")) > LONGEST_VALUE:
            raise _wrong(
                _("The value of %(text)s is too long, or holds a NUL character."), name
            )


def _wrong(words: str, text: str) -> DomainError:
    return DomainError(words % {"text": text[:100] or '""'}, code="bad_host_context")

"""Runs git: an argv list, an environment from nothing, a process group of its own, limits of time and disk."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError, Unavailable

LOOK_SECONDS = 0.2
STDERR_BYTES = 64 * 1024
FOLDER_BYTES = 4096
_PERCENT = re.compile(rb"([A-Za-z ]{4,40}):\s+(\d{1,3})%")
# What a server says comes with control characters, and may say anything.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]+")
# Progress, frames, and what git adds whatever the reason was.
_SAYS_NOTHING = re.compile(
    r"(?:remote: )?[A-Za-z ]{4,40}:\s+\d|remote: Total|From |@|Please make sure you have|and the repository exists"
)

Told = Callable[[int], None]


@dataclass(frozen=True)
class Limits:
    """How long and how large one reading may be, and how the settings that say so begin ("ADMINSET_LIBRARY_GIT").

    Attributes:
        answer: bytes of what a program prints that is read into memory; 0: as many as the reading may have.
    """

    seconds: int
    size: int
    setting: str
    answer: int = 0


def limits_of_library() -> Limits:
    """Give the limits of repositories that the library is read from."""
    seconds, size = settings.LIBRARY_GIT_SECONDS, settings.LIBRARY_GIT_BYTES
    return Limits(seconds, size, "ADMINSET_LIBRARY_GIT")


class GitError(DomainError):
    """A repository that cannot be read: what git said, or which limit it was."""

    status = 502


@dataclass
class Workplace:
    """A private folder in which git works, and what it is given besides.

    Attributes:
        options: further `-c name=value`. environment: further variables. secrets: texts that no sentence may repeat.
        deadline: on the clock of time.monotonic(). objects: where the repository is, if not in the folder itself.
    """

    folder: Path
    options: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list, repr=False)
    deadline: float = 0.0
    limits: Limits = field(default_factory=limits_of_library)
    objects: Path | None = None

    @property
    def repository(self) -> Path:
        """Where the objects are kept."""
        return self.objects or self.folder / "repository"

    def size(self) -> int:
        """Count the bytes of its files."""
        beside = _size_of(self.objects) if self.objects else 0
        return _size_of(self.folder) + beside


def git_program() -> str:
    """Find git on this machine.

    Raises:
        Unavailable: it is not installed.
    """
    found = shutil.which("git", path=os.defpath) or shutil.which("git")
    if found is None:
        raise Unavailable(
            _("git is not installed on the portal's machine."),
            _("Install it (apt-get install git), then fetch again."),
            code="no_git",
        )
    return found


def run(
    place: Workplace,
    arguments: Sequence[str],
    *,
    given: bytes = b"",
    told: Told = lambda percent: None,
) -> bytes:
    """Run `git <arguments>` in the workplace's repository and give what it printed.

    Args:
        given: its standard input. told: called with the percentage that git says of its progress.

    Raises:
        GitError: it failed (with the last line that it said), took too long or too much of the disk.
    """
    argv = [git_program(), *_fixed_options(place), *arguments]
    most = place.limits.answer
    environment = _environment(place)
    out = run_program(place, argv, environment, given=given, told=told, most=most)
    return out.read_bytes()


def run_to_file(
    place: Workplace, arguments: Sequence[str], *, given: bytes = b"", most: int = 0
) -> Path:
    """Run git as `run` does and name the file in which all stands that it printed, until the next run.

    Raises:
        GitError: as run.
    """
    argv = [git_program(), *_fixed_options(place), *arguments]
    return run_program(place, argv, _environment(place), given=given, most=most)


def run_program(
    place: Workplace,
    argv: Sequence[str],
    environment: dict[str, str],
    *,
    given: bytes = b"",
    told: Told = lambda percent: None,
    most: int = 0,
) -> Path:
    """Run a program that reads repositories, within the limits of the workplace; name the file of what it printed.

    Args:
        most: bytes that it may print; 0: as many as the reading may have.

    Raises:
        GitError: it failed (with the last line that it said), took too long or too much of the disk.
    """
    out, err = place.folder / "out", place.folder / "err"
    into = place.folder / "in"
    into.write_bytes(given)
    with into.open("rb") as stdin, out.open("wb") as stdout, err.open("wb") as stderr:
        # What it is given may be a password: it reads it from a file that has no name any more.
        into.unlink()
        process = subprocess.Popen(  # noqa: S603 - an argv list; address and branch are checked
            argv,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            cwd=place.folder,
            env=environment,
            start_new_session=True,
        )
        name = Path(argv[0]).name
        try:
            _watch(process, place, err, told, name, most)
        finally:
            _end(process)
    # It may have printed a lot since it was looked at last.
    _check_answer(out, most)
    if process.returncode != 0:
        raise _failed(place, err, name)
    return out


def _fixed_options(place: Workplace) -> list[str]:
    allowed = [
        f"protocol.{name}.allow=always" for name in settings.LIBRARY_GIT_PROTOCOLS
    ]
    fixed = [
        "protocol.allow=never",
        *allowed,
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.askPass=",
        "core.sshCommand=",
        "credential.helper=",
        "http.followRedirects=false",
        "http.proxy=",
        "submodule.recurse=false",
        "fetch.recurseSubmodules=false",
        "gc.auto=0",
        "maintenance.auto=false",
    ]
    # What concerns this address alone comes last and counts more.
    options = [part for each in (*fixed, *place.options) for part in ("-c", each)]
    return ["--git-dir", str(place.repository), "--literal-pathspecs", *options]


def _environment(place: Workplace) -> dict[str, str]:
    certificates = settings.OUTBOUND_CA_FILE
    return {
        "PATH": os.defpath,
        "HOME": str(place.folder),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": ":".join(settings.LIBRARY_GIT_PROTOCOLS),
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        **({"GIT_SSL_CAINFO": str(certificates)} if certificates else {}),
        **place.environment,
    }


def _watch(
    process: subprocess.Popen[bytes],
    place: Workplace,
    err: Path,
    told: Told,
    name: str,
    most: int,
) -> None:
    """Wait for the end; stop it at its limits."""
    last = -1
    while True:
        try:
            process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        else:
            return
        if time.monotonic() > place.deadline:
            raise _too_long(place.limits, name)
        if place.size() > place.limits.size:
            raise too_large(place.limits)
        _check_answer(place.folder / "out", most)
        percent = _percent(err)
        if percent is not None and percent != last:
            last = percent
            told(last)


def _check_answer(out: Path, most: int) -> None:
    if most and out.stat().st_size > most:
        raise GitError(
            _("The server's answer is larger than %(most)s KiB.")
            % {"most": most // 1024},
            _("Use a repository with fewer branches, tags and files."),
            code="git_too_large",
        )


def _too_long(limits: Limits, name: str) -> GitError:
    return GitError(
        _("%(program)s took longer than %(seconds)s s.")
        % {"program": name, "seconds": limits.seconds},
        _("Try again, or raise %(setting)s_SECONDS.") % {"setting": limits.setting},
        code="git_timeout",
    )


def too_large(limits: Limits) -> GitError:
    """Say that a repository, or what is read of it, is too large."""
    return GitError(
        _("The repository is larger than %(most)s MiB.")
        % {"most": limits.size // 2**20},
        _("Use a smaller one, or raise %(setting)s_BYTES.")
        % {"setting": limits.setting},
        code="git_too_large",
    )


def _size_of(folder: Path) -> int:
    total = 0
    for root, folders, names in os.walk(folder):
        # A folder costs the disk as much as a small file.
        total += len(folders) * FOLDER_BYTES
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(root, name)).st_size  # noqa: PTH118 - thousands of them
    return total


def _percent(err: Path) -> int | None:
    found = _PERCENT.findall(_tail(err))
    return min(100, int(found[-1][1])) if found else None


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - STDERR_BYTES))
        return file.read()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group: git's helpers and ssh are children of it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _failed(place: Workplace, err: Path, name: str) -> GitError:
    said = plain_words(_tail(err), place.secrets)
    return GitError(
        _("%(program)s could not read it: %(said)s")
        % {"program": name, "said": said or _("it said nothing about why")},
        _("See that address, branch and credential are right."),
        code="git_failed",
    )


def plain_words(raw: bytes, secrets: Sequence[str] = ()) -> str:
    """Give what matters of git's last lines, as plain text of one line, without secrets."""
    text = raw.decode("utf-8", "replace").replace("\r", "\n")
    lines = [line.strip() for line in text.split("\n")]
    telling = [line for line in lines if line and not _SAYS_NOTHING.match(line)]
    words = "; ".join(telling[-3:])
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        words = words.replace(secret, "***")
    return _UNSEEN.sub(" ", words).strip()[:300]

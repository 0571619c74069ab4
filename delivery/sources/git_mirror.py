"""Mirrors of git repositories: one for each address and credential, brought up to date by one process at a time."""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import Conflict
from tasks.ansible_stop import stop
from tasks.library.git_access import workplace
from tasks.library.git_process import GitError, Limits, Told, Workplace, run
from tasks.services.orphans import living_below

LOOK_SECONDS = 0.1
# More packs than this are made into one.
MOST_PACKS = 40
FETCH = (
    "fetch",
    "--progress",
    "--prune",
    "--force",
    "--no-recurse-submodules",
    "--no-auto-gc",
    "--no-write-fetch-head",
    "--end-of-options",
)
SPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
# What git says of a mirror that a crash or a full disk has spoilt.
SPOILT = ("corrupt", "bad object", "not a git repo", "missing blob", "missing tree")


@dataclass
class Repository:
    """What is read: an address, with what one signs in, and the server's key as far as it is known."""

    url: str
    credential: Any = None
    host_key: str = ""
    # Checked by the door that the library has in common; which one is read says the reference.
    branch: str = "main"


def limits(seconds: int | None = None) -> Limits:
    """Give how long a reading may take, and how much of the disk."""
    most, size = settings.SOURCE_SECONDS, settings.SOURCE_BYTES
    answer = settings.SOURCE_ANSWER_BYTES
    return Limits(min(seconds or most, most), size, "ADMINSET_SOURCE", answer)


def folder_of(repository: Repository) -> Path:
    """Name the folder of a mirror. Whoever signs in otherwise has another one: what is private stays so."""
    credential = repository.credential
    whose = f"{repository.url}\0{credential.pk if credential else ''}"
    name = hashlib.sha256(whose.encode()).hexdigest()[:40]
    return Path(settings.BUILD_DIR) / "mirrors" / name


@contextmanager
def updated(
    repository: Repository,
    limits: Limits,
    told: Told = lambda percent: None,
    *,
    young_seconds: float = 0.0,
) -> Iterator[Workplace]:
    """Bring a mirror up to date and open it for reading: one process does the first, many the second.

    Args:
        young_seconds: not again where that was done so lately.

    Raises:
        DomainError: as git says; or others have it for too long.
    """
    folder = folder_of(repository)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.utime(folder)
    root = Path(settings.BUILD_DIR) / "reads"
    with (
        workplace(repository, root=root, limits=limits) as place,
        (folder / "lock").open("a") as lock,
    ):
        place.objects = folder / "repository"
        place.options += ["fetch.unpackLimit=1"]
        if time.time() - _time_of(folder / "fresh") > young_seconds:
            _wait(lock.fileno(), place, alone=True)
            _refresh(place, repository, told)
        _wait(lock.fileno(), place, alone=False)
        yield place


def _refresh(place: Workplace, repository: Repository, told: Told) -> None:
    """Bring the mirror up to date; a note beside it says who does, for the case that we die."""
    folder = folder_of(repository)
    _end_lost(folder)
    note = folder / "worker"
    note.write_text(str(place.folder))
    try:
        _update(place, repository, told)
    finally:
        note.unlink(missing_ok=True)
    (folder / "fresh").touch()


def _wait(lock: int, place: Workplace, *, alone: bool) -> None:
    how = (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB
    while True:
        try:
            fcntl.flock(lock, how)
        except BlockingIOError:
            if time.monotonic() > place.deadline:
                raise Conflict(
                    _("The repository is being read by somebody else."),
                    _("Try again later."),
                    code="source_busy",
                ) from None
            time.sleep(LOOK_SECONDS)
        else:
            return


def _end_lost(folder: Path) -> None:
    """End what a worker left running that died while it had the lock; take away what a git that was ended leaves."""
    with suppress(ValueError, OSError):
        left = Path((folder / "worker").read_text())
        stop(living_below(left))
        shutil.rmtree(left, ignore_errors=True)
    for pattern in ("*.lock", "tmp_pack_*", "tmp_idx_*"):
        for path in (folder / "repository").rglob(pattern):
            path.unlink(missing_ok=True)


def _update(place: Workplace, repository: Repository, told: Told) -> None:
    there = (place.repository / "HEAD").is_file()
    try:
        _fetch(place, repository, told)
    except GitError as error:
        if not there or not any(word in error.message for word in SPOILT):
            raise
        shutil.rmtree(place.repository, ignore_errors=True)
        _fetch(place, repository, told)


def _fetch(place: Workplace, repository: Repository, told: Told) -> None:
    if not (place.repository / "HEAD").is_file():
        run(place, ["init", "--quiet", "--bare", "--template="])
    run(place, [*FETCH, repository.url, *SPECS], told=told)
    run(place, ["pack-refs", "--all"])
    packs = list((place.repository / "objects" / "pack").glob("*.pack"))
    if len(packs) > MOST_PACKS:
        run(place, ["repack", "-a", "-d", "-k", "-q"])


def _time_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def clean() -> int:
    """Take away the mirrors that nobody used lately; give how many."""
    old, went = time.time() - settings.SOURCE_MIRROR_DAYS * 86_400, 0
    for folder in (Path(settings.BUILD_DIR) / "mirrors").glob("*"):
        if folder.stat().st_mtime > old:
            continue
        with (folder / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(folder, ignore_errors=True)
            went += 1
    return went

"""Archives that people or build servers send: in pieces, kept for a while under their SHA-256, each for one project."""

import hashlib
import json
import os
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError
from adminset.growing_files import held, settle
from adminset.unseen import visible

TICKET = re.compile(r"[0-9a-f]{32}")
SHA256 = re.compile(r"[0-9a-f]{64}")
# An upload that nobody goes on with for so long makes room for others.
IDLE_SECONDS = 3600


@dataclass(frozen=True)
class Upload:
    """An archive of a project: SHA-256, name as its sender called it, bytes, who sent it and when (ISO time)."""

    sha256: str
    name: str
    size: int
    who: str
    at: str


def _folder(project: Any) -> Path:
    folder = Path(settings.BUILD_DIR) / "uploads" / str(int(project.pk))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def path_of(project: Any, sha256: str) -> Path:
    """Say where an upload lies.

    Raises:
        DomainError: there is none of this SHA-256.
    """
    path = _folder(project) / sha256
    if not SHA256.fullmatch(sha256) or not path.is_file():
        raise DomainError(
            _("There is no such upload of this project."),
            _("Send the archive again: uploads are cleared away after a while."),
            code="no_such_upload",
            status=404,
        )
    return path


def begin(*, project: Any) -> str:
    """Begin an upload; give the ticket that its pieces name.

    Raises:
        Conflict: so many of the project have begun and not ended that no more may.
    """
    _make_room(project)
    ticket = secrets.token_hex(16)
    (_folder(project) / f"{ticket}.part").touch(mode=0o600)
    return ticket


def add_piece(*, project: Any, ticket: str, offset: int, data: bytes) -> int:
    """Append a piece; give how many bytes are there.

    Raises:
        Conflict: the piece does not begin where the upload ends (`retry` from the size in the sentence).
        DomainError: no such upload, or too large.
    """
    with _held(project, ticket) as file:
        end = file.seek(0, 2)
        if offset + len(data) == end and _is_there(file, offset, data):
            # Its sender did not hear that it came.
            return end
        if offset != end:
            raise Conflict(
                _("The upload has %(size)s bytes; go on from there.") % {"size": end},
                code="wrong_offset",
            )
        if end + len(data) > settings.ARTEFACT_UPLOAD_BYTES:
            raise _too_large()
        if _open_bytes(project) + len(data) > settings.ARTEFACT_UPLOADS_OPEN_BYTES:
            raise _too_many()
        file.write(data)
    return end + len(data)


def _is_there(file: BufferedRandom, offset: int, data: bytes) -> bool:
    file.seek(offset)
    there = file.read(len(data))
    file.seek(0, 2)
    return there == data


@contextmanager
def _held(project: Any, ticket: str) -> Iterator[BufferedRandom]:
    if not TICKET.fullmatch(ticket):
        raise _no_such()
    with ExitStack() as stack:
        try:
            path = _folder(project) / f"{ticket}.part"
            file = stack.enter_context(held(path))
        except FileNotFoundError:
            raise _no_such() from None
        yield file


def _no_such() -> DomainError:
    return DomainError(_("There is no such upload."), code="no_such_upload")


def _open_ones(project: Any) -> list[os.stat_result]:
    found = []
    for path in _folder(project).glob("*.part"):
        with suppress(FileNotFoundError):
            found.append(path.stat())
    return found


def _open_bytes(project: Any) -> int:
    return sum(about.st_size for about in _open_ones(project))


def _make_room(project: Any) -> None:
    """See that one more upload may begin; those that were given up go first."""
    most = settings.ARTEFACT_UPLOADS_OPEN
    if len(_open_ones(project)) < most:
        return
    old = time.time() - IDLE_SECONDS
    for path in _folder(project).glob("*.part"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < old:
                path.unlink()
    if len(_open_ones(project)) >= most:
        raise _too_many()


def _too_many() -> Conflict:
    return Conflict(
        _("Too many archives of this project are being sent."),
        _("End those that have begun; what does not go on is cleared away in time."),
        code="too_many_uploads",
    )


def finish(
    *, actor: Any, project: Any, ticket: str, name: str, sha256: str = ""
) -> Upload:
    """End an upload: from now on the project can be delivered from it.

    Args:
        sha256: what the sender says it has to be; "" where nothing is said.

    Raises:
        DomainError: it is not what the sender says.
    """
    # No piece is written meanwhile, and none later: what was hashed is what stays.
    with _held(project, ticket) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if sha256 and sha256.lower() != found:
            Path(file.name).unlink()
            raise _wrong_hash()
        size = file.tell()
        settle(file, _folder(project) / found)
    upload = Upload(
        found,
        visible(name.strip())[:200] or found[:12],
        size,
        str(actor),
        timezone.now().isoformat(),
    )
    about = _folder(project) / f"{found}.json"
    about.write_text(json.dumps(asdict(upload)), encoding="utf-8")
    changes = [{"field": "upload", "old": None, "new": f"{upload.name} {found}"}]
    audit.record(actor, "source.upload", project, changes=changes)
    return upload


def _wrong_hash() -> DomainError:
    return DomainError(
        _("What came has another SHA-256 than what was sent."),
        _("Send it again."),
        code="wrong_hash",
    )


def keep(
    *, actor: Any, project: Any, name: str, chunks: Iterable[bytes], sha256: str = ""
) -> Upload:
    """Keep an archive that comes in one request; as begin, add_piece and finish."""
    ticket, offset = begin(project=project), 0
    try:
        for chunk in chunks:
            offset = add_piece(
                project=project, ticket=ticket, offset=offset, data=chunk
            )
        return finish(
            actor=actor, project=project, ticket=ticket, name=name, sha256=sha256
        )
    finally:
        (_folder(project) / f"{ticket}.part").unlink(missing_ok=True)


def uploads_of(project: Any) -> list[Upload]:
    """List the uploads of a project, newest first."""
    found = []
    for about in _folder(project).glob("*.json"):
        try:
            upload = Upload(**json.loads(about.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            continue
        if about.with_suffix("").is_file():
            found.append(upload)
    return sorted(found, key=lambda upload: upload.at, reverse=True)


def clean() -> int:
    """Take away uploads that are as old as mirrors may be, and those that were never finished for a day; give how many."""
    now, went = time.time(), 0
    for path in (Path(settings.BUILD_DIR) / "uploads").glob("*/*"):
        days = 1 if path.suffix == ".part" else settings.SOURCE_MIRROR_DAYS
        if path.stat().st_mtime < now - days * 86_400:
            path.unlink(missing_ok=True)
            went += 1
    return went


def _too_large() -> DomainError:
    return DomainError(
        _("The archive is larger than %(most)s MiB.")
        % {"most": settings.ARTEFACT_UPLOAD_BYTES // 2**20},
        _("Send a smaller one, or raise ADMINSET_ARTEFACT_UPLOAD_BYTES."),
        code="too_large",
        status=413,
    )

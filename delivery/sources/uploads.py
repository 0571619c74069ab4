"""Archives that people or build servers send: in pieces, kept for a while under their SHA-256, each for one project."""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.blobs import SHA256
from adminset.errors import Conflict, DomainError
from adminset.growing_files import Bounds, Incoming
from adminset.unseen import visible


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
    return _incoming(project).begin()


def add_piece(*, project: Any, ticket: str, offset: int, data: bytes) -> int:
    """Append a piece; give how many bytes are there. One that is there already is done.

    Raises:
        Conflict: the piece does not begin where the upload ends (`retry` from the size in the sentence).
        DomainError: no such upload, or too large.
    """

    def judge(size: int) -> None:
        if size > settings.ARTEFACT_UPLOAD_BYTES:
            raise _too_large()

    return _incoming(project).add(ticket, offset, data, judge)


def _incoming(project: Any) -> Incoming:
    most = settings.ARTEFACT_UPLOADS_OPEN, settings.ARTEFACT_UPLOADS_OPEN_BYTES
    return Incoming(_folder(project), Bounds(*most, _too_many))


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
    folder = _folder(project)
    found, size = _incoming(project).finish(ticket, folder.joinpath, sha256=sha256)
    upload = Upload(
        found,
        visible(name.strip())[:200] or found[:12],
        size,
        str(actor),
        timezone.now().isoformat(),
    )
    about = folder / f"{found}.json"
    about.write_text(json.dumps(asdict(upload)), encoding="utf-8")
    changes = [{"field": "upload", "old": None, "new": f"{upload.name} {found}"}]
    audit.record(actor, "source.upload", project, changes=changes)
    return upload


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
        _incoming(project).path_of(ticket).unlink(missing_ok=True)


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

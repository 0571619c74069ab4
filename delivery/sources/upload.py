"""An uploaded archive as a source: no branches, no commits, only what was sent."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from delivery.artefacts.unpacking import unpack
from delivery.sources import uploads
from delivery.sources.face import (
    UPLOAD,
    Commit,
    Fetched,
    Named,
    Page,
    Ref,
    Refs,
    SourceError,
)
from delivery.sources.origins import ensure_origin, moved


class Uploads:
    """The uploaded archives of a project."""

    def __init__(self, project: Any) -> None:
        self._project = project

    def refs(self) -> Refs:
        """List the uploads in place of tags: name and SHA-256."""
        found = uploads.uploads_of(self._project)
        return Refs([], [Named(u.sha256, u.sha256, u.name, _time(u.at)) for u in found])

    def commits(self, *, until: Ref, since: str = "", page: int = 1) -> Page:
        """List the uploads themselves, newest first, down to the one that is live."""
        found = uploads.uploads_of(self._project)
        keys = [upload.sha256 for upload in found]
        begin = keys.index(until.name) if until.name in keys else 0
        end = keys.index(since) if since in keys else len(keys)
        listed = [
            Commit(u.sha256, u.who, "", _time(u.at), u.name) for u in found[begin:end]
        ]
        return Page(listed, False, len(listed), not since or since in keys)

    def fetch(self, ref: Ref, into: Path, *, at: str = "", origin: str = "") -> Fetched:
        """Unpack an upload into an empty folder; it is the same at all times.

        Raises:
            DomainError: there is none, or it is no archive, or a trap.
        """
        if ref.kind != UPLOAD:
            raise SourceError(
                _("This project is delivered from uploaded archives only."),
                code="bad_ref",
                status=422,
            )
        ensure_origin(self._project, origin, UPLOAD)
        if at and at != ref.name:
            raise moved(_("The upload is not the one that was said yes to."))
        path = uploads.path_of(self._project, ref.name)
        about = next(
            u for u in uploads.uploads_of(self._project) if u.sha256 == ref.name
        )
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != about.sha256:
                raise SourceError(
                    _("The upload is not what it was when it came."),
                    _("Send the archive again."),
                    code="upload_damaged",
                )
            size = unpack(file, about.size, into)
        when = _time(about.at)
        return Fetched(
            about.sha256, about.who, when, about.name, words=about.name, size=size
        )


def _time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None

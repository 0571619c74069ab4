"""Takes recordings out of the portal: as .cast, with a line in the trail that holds the hash of what went."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from adminset import audit
from tasks.models import TerminalSession
from tasks.recording import reading

CONTENT_TYPE = "application/x-asciicast"
STRANGE = re.compile(r"[^\w.-]+", re.ASCII)


@dataclass(frozen=True)
class Cast:
    """A .cast: its name, its parts, and their SHA-256 and length together."""

    name: str
    parts: Iterator[bytes]
    sha256: str
    size: int


def export(*, actor: Any, session: TerminalSession) -> Cast:
    """Give the recording as a .cast. One that is still written is given as far as it went when it was asked for.

    Raises:
        NotFound, DomainError: there is none, or it cannot be opened.
    """
    found, size = hashlib.sha256(), 0
    for text in reading.texts(session):
        found.update(text)
        size += len(text)
    sha256 = found.hexdigest()
    changes = [
        audit.change_of("sha256", None, sha256),
        audit.change_of("bytes", None, size),
    ]
    if session.recording_sha256:
        same = session.recording_sha256 == sha256
        changes.append(audit.change_of("as_sealed", None, same))
    with transaction.atomic():
        audit.record(actor, "terminalsession.export", session, changes=changes)
    return Cast(file_name(session), _cut(session, size), sha256, size)


def _cut(session: TerminalSession, size: int) -> Iterator[bytes]:
    """Give no more than was hashed: a recording may grow meanwhile."""
    for text in reading.texts(session):
        yield text[:size]
        size -= len(text)
        if size <= 0:
            return


def file_name(session: TerminalSession) -> str:
    """Name the file; nothing of a strange host name stays in it."""
    host = STRANGE.sub("_", session.host_name).strip(".")[:120]
    return f"terminal-{session.pk}-{host}.cast" if host else f"{session.pk}.cast"


def tell_of_replay(*, actor: Any, session: TerminalSession) -> None:
    """Tell the trail that somebody looks at a recording, page by page; once in ten minutes."""
    if audit.is_news("terminalsession.replay", actor.pk, session.pk):
        with transaction.atomic():
            audit.record(actor, "terminalsession.replay", session)

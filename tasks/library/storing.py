"""The bytes of stored files: a new version by an upload, a preview as text, the clean-up when nothing names them any more."""

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import transaction

from tasks.library import blobs, contents
from tasks.library.trees import ensure_editable
from tasks.library.writing import add_version
from tasks.library_models import StoredFile, Version

PREVIEW_BYTES = 64 * 1024


def store_upload(
    *, actor: Any, file: StoredFile, chunks: Iterable[bytes], note: str = ""
) -> Version | None:
    """Make what is sent the newest version of a file; the same bytes make none.

    Raises:
        Forbidden: the actor may not change it. Conflict: it comes from git.
        DomainError: more than ADMINSET_LIBRARY_FILE_BYTES.
    """
    ensure_editable(actor, file)
    sha256, size = blobs.keep(chunks, settings.LIBRARY_FILE_BYTES)
    content = contents.of_bytes(sha256, size)
    return add_version(actor=actor, item=file, content=content, note=note)


def preview_of(version: Version) -> tuple[str, bool] | None:
    """Give (the beginning of a file as text, whether that is all of it); None where it is no text, or missing."""
    try:
        with blobs.path_of(version.sha256).open("rb") as file:
            raw = file.read(PREVIEW_BYTES + 1)
    except OSError:
        return None
    whole = len(raw) <= PREVIEW_BYTES
    if b"\x00" in raw:
        return None
    for cut in range(1 if whole else 4):
        # A cut may go through the middle of a sign.
        try:
            return raw[: PREVIEW_BYTES - cut].decode("utf-8"), whole
        except UnicodeDecodeError:
            continue
    return None


def forget_bytes(hashes: Iterable[str]) -> None:
    """Delete bytes that no version names any more, once the transaction is through."""
    listed = set(hashes)
    transaction.on_commit(lambda: _unlink(listed))


def _unlink(hashes: set[str]) -> None:
    named = Version.objects.filter(sha256__in=hashes, file__isnull=False)
    for sha256 in hashes - set(named.values_list("sha256", flat=True)):
        blobs.path_of(sha256).unlink(missing_ok=True)

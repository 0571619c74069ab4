"""Bytes that lie under their SHA-256 below one folder: each once, whatever they are called."""

import hashlib
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from adminset.growing_files import settle, sync_folder

SHA256 = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """The bytes below one folder.

    Args:
        root: the setting that names the folder.
        limit: the environment variable by which more may be allowed.
        below: a folder within that folder.
    """

    def __init__(self, root: str, limit: str, *, below: str = "") -> None:
        self._root, self._limit, self._below = root, limit, below

    @property
    def root(self) -> Path:
        """Where they lie."""
        return Path(getattr(settings, self._root)) / self._below

    def path_of(self, sha256: str) -> Path:
        """Say where the bytes with this SHA-256 lie, or would.

        Raises:
            DomainError: that is no SHA-256.
        """
        if not SHA256.fullmatch(sha256):
            raise DomainError(_("%(text)s is no SHA-256.") % {"text": sha256[:80]})
        return self.root / sha256[:2] / sha256

    def place_for(self, sha256: str) -> Path:
        """As `path_of`, and the folder is there, also after a power cut."""
        place = self.path_of(sha256)
        if not place.parent.is_dir():
            place.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
            sync_folder(self.root)
        return place

    def keep(self, chunks: Iterable[bytes], most: int) -> tuple[str, int]:
        """Keep bytes: (SHA-256, size). They take their name at once and whole; what was there under it was the same, or damaged.

        Raises:
            DomainError: more than `most` bytes.
        """
        self.root.mkdir(mode=0o750, parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with tempfile.NamedTemporaryFile(
            dir=self.root, prefix="upload-", delete=False
        ) as out:
            try:
                for chunk in chunks:
                    size += len(chunk)
                    if size > most:
                        raise self.too_large(most)
                    digest.update(chunk)
                    out.write(chunk)
                settle(out, self.place_for(digest.hexdigest()))
            finally:
                Path(out.name).unlink(missing_ok=True)
        return digest.hexdigest(), size

    def too_large(self, most: int) -> DomainError:
        """Say that a file is larger than it may be."""
        return DomainError(
            _("The file is larger than %(most)s MiB.") % {"most": most // 2**20},
            _("Send a smaller one, or raise %(setting)s.") % {"setting": self._limit},
            code="too_large",
            status=413,
        )

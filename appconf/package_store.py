"""Where the bytes of packages lie: under their SHA-256, each once, whatever they are called."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from appconf.package_models import Package

SHA256 = re.compile(r"[0-9a-f]{64}")
NOT_IN_A_NAME = re.compile(r"[^\w.+~@-]")


def path_of(sha256: str) -> Path:
    """Say where the bytes with this SHA-256 lie, or would.

    Raises:
        DomainError: that is no SHA-256.
    """
    if not SHA256.fullmatch(sha256):
        raise DomainError(_("%(text)s is no SHA-256.") % {"text": sha256[:80]})
    return Path(settings.PACKAGES_DIR) / sha256[:2] / sha256


def plain_name(name: str) -> str:
    """Make a word of what a sender calls a file: no folders, nothing that is not seen; never empty."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return NOT_IN_A_NAME.sub("_", last).strip(".")[-200:] or "package"


def keep(chunks: Iterable[bytes], most: int) -> tuple[str, int]:
    """Keep bytes: (SHA-256, size). They are written aside and take their name at once; what is there already stays.

    Raises:
        DomainError: more than `most` bytes.
    """
    root = Path(settings.PACKAGES_DIR)
    root.mkdir(mode=0o750, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    handle, name = tempfile.mkstemp(dir=root, prefix="upload-")
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                size += len(chunk)
                if size > most:
                    raise too_large(most)
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        place = path_of(digest.hexdigest())
        place.parent.mkdir(mode=0o750, exist_ok=True)
        aside.replace(place)
    finally:
        aside.unlink(missing_ok=True)
    return digest.hexdigest(), size


def too_large(most: int) -> DomainError:
    """Say that a file is larger than it may be."""
    return DomainError(
        _("The file is larger than %(most)s MiB.") % {"most": most // 2**20},
        _("Send a smaller one, or raise ADMINSET_PACKAGE_BYTES."),
        code="too_large",
        status=413,
    )


def forget_later(hashes: Iterable[str]) -> None:
    """Delete bytes that no package names any more, now where no transaction is open, else once it is through."""
    listed = set(hashes)
    transaction.on_commit(lambda: _unlink(listed))


def _unlink(hashes: set[str]) -> None:
    named = Package.objects.filter(sha256__in=hashes).exclude(file_name="")
    for sha256 in hashes - set(named.values_list("sha256", flat=True)):
        path_of(sha256).unlink(missing_ok=True)

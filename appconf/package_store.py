"""Where the bytes of packages lie (adminset/blobs.py), what they are called, and when they go."""

import re
from collections.abc import Iterable

from django.db import transaction

from adminset.blobs import Blobs
from appconf.package_models import Package

BLOBS = Blobs("PACKAGES_DIR", "ADMINSET_PACKAGE_BYTES")
path_of, keep, too_large = BLOBS.path_of, BLOBS.keep, BLOBS.too_large
NOT_IN_A_NAME = re.compile(r"[^\w.+~@-]")


def plain_name(name: str) -> str:
    """Make a word of what a sender calls a file: no folders, nothing that is not seen; never empty."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return NOT_IN_A_NAME.sub("_", last).strip(".")[-200:] or "package"


def forget_later(hashes: Iterable[str]) -> None:
    """Delete bytes that no package names any more, now where no transaction is open, else once it is through."""
    listed = set(hashes)
    transaction.on_commit(lambda: _unlink(listed))


def _unlink(hashes: set[str]) -> None:
    named = Package.objects.filter(sha256__in=hashes).exclude(file_name="")
    for sha256 in hashes - set(named.values_list("sha256", flat=True)):
        path_of(sha256).unlink(missing_ok=True)

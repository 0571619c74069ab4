"""Refuses passwords that are known from breaches, by a file of their SHA-1 hashes: nothing is sent anywhere.

The file is that of Have I Been Pwned, ordered by hash: a line "<40 hex digits>:<how often>", sorted. It may be 40 GB:
a look-up reads some forty lines of it.
"""

import hashlib
import logging
import os
import re
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.core import checks
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)
LINE = re.compile(rb"([0-9A-Fa-f]{40})(?::\d+)?\s*")
LONGEST_LINE = 128
SAMPLES = 256


class NotAList(ValueError):
    """The file is not a sorted list of hashes."""


class BreachedPasswordValidator:
    """One of AUTH_PASSWORD_VALIDATORS; lets everything pass while ADMINSET_BREACHED_PASSWORDS names no file."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse a password that stands in the file.

        Raises:
            ValidationError: it does.
        """
        if settings.BREACHED_PASSWORDS and is_breached(password):
            raise ValidationError(
                _(
                    "This password is known from a breach elsewhere, and is among those that are tried first."
                ),
                code="password_breached",
            )

    def get_help_text(self) -> str:
        """Say the rule in one sentence."""
        if not settings.BREACHED_PASSWORDS:
            return ""
        return _("Your password can't be one that is known from a breach.")


def is_breached(password: str) -> bool:
    """Say whether the file holds a password. A file that went bad since the start holds up nobody; the log says so."""
    digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest()
    path = Path(settings.BREACHED_PASSWORDS)
    try:
        with path.open("rb") as file:
            return holds(file, digest.upper().encode())
    except (OSError, NotAList):
        logger.exception("passwords are not held against %s", path)
        return False


def holds(file: BinaryIO, wanted: bytes) -> bool:
    """Look for a hash (upper case) by halving the file until it is found.

    Raises:
        NotAList: a line is no hash.
    """
    low, high = 0, file.seek(0, os.SEEK_END)
    while low < high:
        middle = (low + high) // 2
        found, _start, end = _line_at(file, middle)
        if found == wanted:
            return True
        if not found or found > wanted:
            high = middle
        else:
            low = end
    return False


def _line_at(file: BinaryIO, position: int) -> tuple[bytes, int, int]:
    """Give the hash of the first line that begins at or after a position, and where the line begins and ends."""
    file.seek(max(position - 1, 0))
    if position:
        file.readline(LONGEST_LINE)  # the rest of the line before, or its end alone
    start = file.tell()
    line = file.readline(LONGEST_LINE)
    if not line.strip():
        return b"", start, start
    match = LINE.fullmatch(line)
    if match is None:
        raise NotAList(start)
    return match[1].upper(), start, start + len(line)


def check_list(**_options: Any) -> list[checks.CheckMessage]:
    """Check at the start that the file can be read and is sorted, by samples over its whole length."""
    if not settings.BREACHED_PASSWORDS:
        return []
    path = Path(settings.BREACHED_PASSWORDS)
    try:
        with path.open("rb") as file:
            sorted_ = _is_sorted(file)
    except OSError as error:
        return [_fault(f"cannot be read: {error.strerror}.", "accounts.E001")]
    except NotAList:
        return [_fault("is not a list of SHA-1 hashes.", "accounts.E002")]
    return [] if sorted_ else [_fault("is not sorted by hash.", "accounts.E003")]


def _is_sorted(file: BinaryIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    found = [_line_at(file, size * n // SAMPLES) for n in range(SAMPLES)]
    hashes = [digest for digest, _start, _end in found if digest]
    if not hashes:
        raise NotAList(0)
    return hashes == sorted(hashes)


def _fault(what: str, number: str) -> checks.Error:
    return checks.Error(
        f"ADMINSET_BREACHED_PASSWORDS: {settings.BREACHED_PASSWORDS} {what}",
        hint="Give the list of Have I Been Pwned ordered by hash (SHA-1), readable for the portal, or leave the setting empty.",
        id=number,
    )

"""What a text of configuration may be: how long, with which line ends, and no sign that no text has."""

import hashlib

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def with_plain_ends(text: str) -> str:
    """Give a text with the line ends of the hosts: a browser sends those of Windows."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def sha256_of(text: str) -> str:
    """Give the SHA-256 of a text as it lies in a file."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_text(text: str, most: int | None = None) -> None:
    """Accept a text of at most `most` bytes (default: ADMINSET_CONFIG_TEXT_BYTES) that any file can hold.

    Raises:
        ValidationError: a sentence.
    """
    limit = settings.CONFIG_TEXT_BYTES if most is None else most
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > limit:
        raise ValidationError(
            _("This is %(size)s KiB long; at most %(most)s KiB are kept."),
            params={"size": -(-size // 1024), "most": limit // 1024},
        )
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValidationError(
            _("This is no text: it has signs in it that no text has.")
        )


def check_value(text: str) -> None:
    """Accept the value of a variable; raises as `check_text`."""
    check_text(text, settings.CONFIG_VALUE_BYTES)

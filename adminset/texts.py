"""Texts from outside: numbers in them, and whether they are whole Unicode. JSON does not promise that: "\\ud800" is half a character, which nothing can store."""

from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError

# Numbers of rows and of bytes that fit into what databases and browsers count with.
DIGITS = 15


def number_of(text: Any, digits: int = DIGITS) -> int | None:
    """Read a whole number from 0 on out of a text from outside; None where it is none.

    Args:
        digits: a longer text is no number, and is not turned into one.
    """
    plain = str(text)
    fits = plain.isascii() and plain.isdecimal() and len(plain) <= digits
    return int(plain) if fits and not isinstance(text, bool) else None


def is_whole(value: Any) -> bool:
    """Say whether all texts in a value of JSON, keys too, are whole characters."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            if not each.isascii() and _has_halves(each):
                return False
        elif isinstance(each, dict):
            waiting += [*each, *each.values()]
        elif isinstance(each, list):
            waiting += each
    return True


def _has_halves(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def not_whole(sent: Any) -> DomainError:
    """Refuse a value of which `is_whole` is not true; names the fields at fault."""
    sentence = _("This text is not valid Unicode.")
    named = sent.items() if isinstance(sent, dict) else ()
    at_fault = [name for name, value in named if not is_whole(value) and is_whole(name)]
    return DomainError(
        sentence,
        _("Send whole characters: one half of a surrogate pair is none."),
        code="not_unicode",
        fields=dict.fromkeys(at_fault, sentence),
    )

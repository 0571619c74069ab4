"""Texts from outside: whether they are whole Unicode. JSON does not promise it: "\\ud800" is half a character, which nothing can store."""

from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError


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

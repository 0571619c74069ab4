"""Keeps genuine messages of web-hooks: what became of each, and signs by which one that comes again is known for a day."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset.redaction import clean
from tasks.hooks.clearing import REMEMBERED
from tasks.hooks.signing import Signed

EXCERPT = 2000


class SeenError(Exception):
    """The message came before; `delivery` is that one, or None where it is forgotten."""

    def __init__(self, delivery: Any) -> None:
        super().__init__()
        self.delivery = delivery


@dataclass(frozen=True)
class Came:
    """A genuine message: its body as it came, what its headers say, from where."""

    body: bytes
    signed: Signed
    address: str = ""


def remember(hook: Any, signs: Iterable[str]) -> list[int]:
    """Keep the signs of a message for a day, within the caller's transaction; gives their keys, for `join`.

    Args:
        hook: a web-hook with rows `seen` and `deliveries`.

    Raises:
        SeenError: one of them is known.
    """
    return [_remembered(hook, sign) for sign in signs]


def _remembered(hook: Any, sign: str) -> int:
    rows = hook.seen.filter(sign=sign)
    rows.filter(at__lt=timezone.now() - REMEMBERED).delete()
    try:
        with transaction.atomic():
            key: int = hook.seen.create(sign=sign).pk
            return key
    except IntegrityError:
        known = rows.select_related("delivery").first()
        raise SeenError(known.delivery if known else None) from None


def join(hook: Any, seen: Iterable[int], delivery: Any) -> None:
    """Say of signs to which message they belong."""
    hook.seen.filter(pk__in=list(seen)).update(delivery=delivery)


def kept(hook: Any, came: Came, verdict: str, words: str, **brought: Any) -> Any:
    """Keep a message with what became of it.

    Args:
        brought: fields of the hook's own kind of message.
    """
    return hook.deliveries.create(
        event=came.signed.event,
        delivery=clean(came.signed.delivery),
        address=came.address[:64],
        verdict=verdict,
        words=clean(words)[:2000],
        body_hash=hashlib.sha256(came.body).hexdigest(),
        excerpt=excerpt_of(came.body),
        **brought,
    )


def came_before() -> str:
    """Say that a message is left alone because it came before."""
    return _("The same message came before and is not treated twice.")


def excerpt_of(body: bytes) -> str:
    """Give the beginning of a body as it may be kept: without secrets, and without signs that cannot be seen."""
    text = body[: 4 * EXCERPT].decode("utf-8", "replace")
    seen = "".join(sign if sign.isprintable() or sign == "\n" else " " for sign in text)
    return clean(seen)[:EXCERPT]

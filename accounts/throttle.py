"""Slows down guessing: attempts are counted in the cache, which all processes share, and nobody is kept out for good."""

import hashlib
import logging
import math
import time
import unicodedata
from collections.abc import Callable

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from redis import RedisError  # what Django's cache raises when Redis is away

from adminset.errors import DomainError

logger = logging.getLogger(__name__)
AWAY = (RedisError, OSError)


class TooManyAttempts(DomainError):
    """No for now; `is_first` on the attempt that went over the limit, so that a trail says it once."""

    def __init__(self, seconds: int, *, is_first: bool) -> None:
        minutes = max(1, math.ceil(seconds / 60))
        super().__init__(
            _("Too many attempts for this account, or from your address."),
            ngettext(
                "Wait a minute and try again.",
                "Wait %(number)s minutes and try again.",
                minutes,
            )
            % {"number": minutes},
            code="too_many_attempts",
            status=429,
            retry_after=seconds,
        )
        self.is_first = is_first


def attempt(
    who: str,
    address: str,
    *,
    kind: str = "other",
    is_known: Callable[[], bool] = lambda: False,
) -> int:
    """Count an attempt before what was given is looked at, so that parallel guesses count too.

    Three counts, each of one window: who and address (SIGN_IN_ATTEMPTS), the address whoever it tries to be
    (SIGN_IN_ADDRESS_ATTEMPTS: one password tried on many accounts), who from all addresses (SIGN_IN_ACCOUNT_ATTEMPTS).
    An address from which the account came in lately is not held up by the last, so that a stranger locks nobody out.

    Args:
        who: a name, or any text that stands for what is guessed at, such as "code:17".
        kind: sets apart what must not share its counts: a name typed at the door is any text.
        is_known: whether the account came in from this address lately; asked only when that matters.

    Returns:
        How many attempts `who` made from this address in the window, this one included; 0 when the cache is away
        (nobody is locked out then).

    Raises:
        TooManyAttempts: status 429, with the seconds until the window ends.
    """
    pair, whole_address, account = _keys(who, address, kind)
    try:
        count = _count(pair, settings.SIGN_IN_ATTEMPTS)
        _count(whole_address, settings.SIGN_IN_ADDRESS_ATTEMPTS)
        try:
            _count(account, settings.SIGN_IN_ACCOUNT_ATTEMPTS)
        except TooManyAttempts:
            if not is_known():
                raise
    except AWAY:
        logger.warning("sign-in is not throttled: the cache does not answer")
        return 0
    return count


def count_address(address: str, *, kind: str, limit: int) -> None:
    """Count what comes from an address, whoever it is about: for secrets too long to guess, where only the flood is held up.

    Failures after they happened, or visits that `forget` takes back after a success: many behind one address do not
    stop each other.

    Raises:
        TooManyAttempts: more than `limit` in the window.
    """
    _pair, whole_address, _account = _keys("", address, kind)
    try:
        _count(whole_address, limit)
    except AWAY:
        logger.warning("a flood is not held up: the cache does not answer")


def forget(who: str, address: str, *, kind: str = "other") -> None:
    """Start anew after a success; of the wider counts only this one attempt is taken back.

    Otherwise somebody with an account of his own could guess at others for ever, with a success in between.
    """
    pair, *wider = _keys(who, address, kind)
    try:
        cache.delete(pair)
        for key in wider:
            _take_back(key)
    except AWAY:
        logger.warning("the count of failed sign-ins stays: the cache does not answer")


def _count(key: str, limit: int) -> int:
    window = settings.SIGN_IN_WINDOW_SECONDS
    cache.add(key, 0, window)
    try:
        number = cache.incr(key)
    except ValueError:
        return 1  # the window ended between the two
    if number == 1:
        # The window begins. Said again, because a key that expires within `incr` would come back without an end.
        cache.touch(key, window)
        cache.set(f"{key}:end", math.ceil(time.time()) + window, window)
    if number > limit:
        left = cache.get(f"{key}:end", math.inf) - time.time()
        seconds = math.ceil(min(max(left, 1), window))
        raise TooManyAttempts(seconds, is_first=number == limit + 1)
    return number


def _take_back(key: str) -> None:
    try:
        cache.decr(key)
    except ValueError:
        return  # the window has ended: nothing is counted any more


def _keys(who: str, address: str, kind: str) -> tuple[str, str, str]:
    name = _one_spelling(who)
    parts = (
        ("pair", kind, name, address),
        ("address", kind, address),
        ("account", kind, name),
    )
    pair, whole_address, account = (
        hashlib.sha256("\0".join(part).encode()).hexdigest() for part in parts
    )
    return f"sign-in:{pair}", f"sign-in:{whole_address}", f"sign-in:{account}"


def _one_spelling(who: str) -> str:
    """Bring the spellings of a name that directories take for one (RFC 4518: full width, case, blanks) into one."""
    folded = unicodedata.normalize("NFKC", who).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())

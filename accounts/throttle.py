"""Slows down guessing: a few failures per account and address in five minutes, counted in the cache."""

import hashlib
import logging

from django.core.cache import cache
from django.utils.translation import gettext as _
from redis import RedisError  # what Django's cache raises when Redis is away

from adminset.errors import DomainError

LIMIT = 5
SECONDS = 300
logger = logging.getLogger(__name__)


def attempt(username: str, address: str) -> int:
    """Count an attempt before the password is looked at, so that parallel guesses count too.

    Returns:
        How many attempts were made in the window, this one included; 0 when the cache is away (nobody is locked out then).
    """
    key = _key(username, address)
    try:
        cache.add(key, 0, SECONDS)
        return cache.incr(key)
    except ValueError:
        return 1  # the window ended between the two
    except (RedisError, OSError):
        logger.warning("sign-in is not throttled: the cache does not answer")
        return 0


def forget(username: str, address: str) -> None:
    """Start anew after a success."""
    try:
        cache.delete(_key(username, address))
    except (RedisError, OSError):
        logger.warning("the count of failed sign-ins stays: the cache does not answer")


def too_many() -> DomainError:
    """Say no for now, never for good."""
    return DomainError(
        _("Too many attempts for this account from your address."),
        _("Wait five minutes and try again."),
        code="too_many_attempts",
        status=429,
        retry_after=SECONDS,
    )


def _key(username: str, address: str) -> str:
    told = hashlib.sha256(f"{username.casefold()}\0{address}".encode()).hexdigest()
    return f"sign-in:{told}"

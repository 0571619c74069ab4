"""Tokens that may do less than their user: what runs later with all rights of the user is not for them."""

from typing import Any

from adminset.errors import Forbidden


def is_limited(actor: Any) -> bool:
    """Say whether a token speaks that may do less than its user."""
    token = getattr(actor, "token", None)
    return token is not None and not token.is_unlimited


def ensure_whole_user(actor: Any, message: str, hint: str = "") -> None:
    """Let pass who speaks with all rights of the user.

    Args:
        message, hint: what a token with limits may not do, and what to do instead.

    Raises:
        Forbidden: a token speaks that may do less than its user (code "limited_token").
    """
    if is_limited(actor):
        raise Forbidden(message, hint, code="limited_token")

"""Tries at the door: each is counted before it is looked at, and the refused ones are recorded."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts import session_selectors, throttle
from accounts.models import User
from accounts.services.break_glass import BREAK_GLASS
from adminset import audit, context
from adminset.audit import Change, SystemActor

# An address from which somebody came in within this time is that person's.
KNOWN_FOR = timedelta(days=30)


def count_attempt(who: str, *, known: User | None, method: str) -> None:
    """Count an attempt to prove who somebody is, before the proof is looked at; the first over the limit is recorded.

    Args:
        who: the name that was given, or any text that stands for what is guessed at.
        known: the user whom the attempt is about, None where the name is nobody's.
        method: what is asked for, such as "password"; each has counts of its own.

    Raises:
        TooManyAttempts: status 429, with the seconds to wait.
    """
    address = context.current.get().address
    try:
        throttle.attempt(
            who,
            address,
            kind=method,
            is_known=lambda: known is not None and _is_at_home(known, address),
        )
    except throttle.TooManyAttempts as error:
        if error.is_first:
            record_refusal(known, "session.throttled", method=method)
        raise


def _is_at_home(user: User, address: str) -> bool:
    """Say whether a flood of guesses at an account must not hold up this address."""
    # The password of the break-glass account cannot be guessed, and strangers must not be able to keep its owner out.
    return user.username == BREAK_GLASS or session_selectors.came_in_from(
        user, address, since=timezone.now() - KNOWN_FOR
    )


def count_visit(*, kind: str, method: str) -> None:
    """Count a visit to an address of the door that costs something before anything is proved, such as a session's row.

    Raises:
        TooManyAttempts: status 429, more than SIGN_IN_ADDRESS_ATTEMPTS in the window; the first is recorded.
    """
    address, limit = context.current.get().address, settings.SIGN_IN_ADDRESS_ATTEMPTS
    try:
        throttle.count_address(address, kind=kind, limit=limit)
    except throttle.TooManyAttempts as error:
        if error.is_first:
            record_refusal(None, "session.throttled", method=method)
        raise


def forget_visits(*kinds: str) -> None:
    """Take back one visit of each kind after a success, so that many people behind one address come in."""
    for kind in kinds:
        throttle.forget("", context.current.get().address, kind=kind)


def record_refusal(
    known: User | None, verb: str = "session.refused", *, method: str, reason: str = ""
) -> None:
    """Record that somebody was not let in: by the name of a user, never by what was typed.

    Args:
        reason: why, where it is no wrong proof; never with anything in it that was typed.
    """
    # A name that nobody has is not kept: it may be a password typed into the wrong box.
    name = known.username if known else "unknown user"
    actor = SystemActor(name, audit_kind="visitor")
    changes = circumstances(method)
    audit.record(actor, verb, known, changes=changes, reason=reason)


def circumstances(method: str) -> list[Change]:
    """Say with what and how somebody tried, as the trail keeps it."""
    told = {"browser": context.current.get().browser, "method": method}
    return [{"field": name, "old": None, "new": value} for name, value in told.items()]

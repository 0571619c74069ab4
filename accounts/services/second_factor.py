"""The verbs about second factors: set up, confirmed, used, switched off, reset; and recovery codes, good once each."""

import secrets
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import guards, second_factor
from accounts.models import Grant, RecoveryCode, SecondFactor, User
from accounts.services.sessions import end_sessions
from adminset import audit
from adminset.audit import Actor
from adminset.crypto import digest
from adminset.errors import Conflict, DomainError

TOTP, RECOVERY = "totp", "recovery"


def factor_of(user: User) -> SecondFactor | None:
    """Give a user's confirmed second factor, None without one."""
    return SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).first()


def is_required(user: User) -> bool:
    """Say whether a role that the user holds now asks for a second factor, or being an administrator does."""
    if user.is_superuser and settings.ADMINS_NEED_SECOND_FACTOR:
        return True
    holding = Grant.objects.holding().filter(user=user)
    return bool(holding.filter(role__requires_second_factor=True).exists())


def codes_left(user: User) -> int:
    """Count the recovery codes that are still good."""
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


@transaction.atomic
def begin(*, user: User, known: int | None = None) -> SecondFactor:
    """Give the secret to set up with: the one that this session has begun, else a new one.

    One that another session has begun is forgotten: whoever sat there knows it.

    Args:
        known: id of the factor that this session has begun.

    Raises:
        Conflict: the user has a confirmed factor already.
    """
    if factor_of(user):
        raise Conflict(
            _("You have a second factor already."), _("Switch it off first.")
        )
    SecondFactor.objects.filter(user=user, confirmed_at=None).exclude(
        pk=known or 0
    ).delete()
    factor, _made = SecondFactor.objects.get_or_create(
        user=user, defaults={"secret": second_factor.new_secret()}
    )
    factor.refresh_from_db()
    return factor


@transaction.atomic
def confirm(factor: SecondFactor, *, code: str, keep: int | None = None) -> list[str]:
    """Take the first code of the app: from now on a code is asked for at sign-in. Other sessions end.

    Args:
        keep: id of the session that goes on.

    Returns:
        The recovery codes, which nobody can read again.

    Raises:
        DomainError: the code is wrong.
    """
    actor = factor.user
    if not _use_code(factor, code):
        raise wrong_code()
    factor.confirmed_at = timezone.now()
    factor.save(update_fields=["confirmed_at"])
    audit.record(actor, "user.second_factor", actor)
    end_sessions(actor=actor, user=actor, keep=keep)
    return _replace_codes(actor)


def secret_of(factor: SecondFactor) -> str:
    """Open the secret of a factor, for use and for the page that sets it up."""
    sealed: Any = factor.secret
    return str(sealed.reveal())


def _use_code(factor: SecondFactor, code: str) -> bool:
    """Take a code: no time step counts twice, however many ask at once."""
    step = second_factor.matching_step(secret_of(factor), code)
    rows = SecondFactor.objects.filter(pk=factor.pk, last_step__lt=step or 0)
    return step is not None and bool(rows.update(last_step=step))


def use(*, user: User, code: str) -> str:
    """Take a code of the app or a recovery code.

    Returns:
        TOTP or RECOVERY: which of them it was.

    Raises:
        DomainError: it is neither, or was used already.
    """
    factor = factor_of(user)
    if factor is not None and _use_code(factor, code):
        return TOTP
    hashed = digest(second_factor.plain_recovery_code(code))
    rows = RecoveryCode.objects.filter(user=user, code_hash=hashed, used_at=None)
    if factor is not None and rows.update(used_at=timezone.now()):
        audit.record(user, "user.recovery_code", user)
        return RECOVERY
    raise wrong_code()


def wrong_code() -> DomainError:
    """Say that a code is not right, without saying why."""
    return DomainError(
        _("This code is not right."),
        _("Enter the code that the app shows now; each works once."),
        code="wrong_code",
        fields={"code": _("Not right.")},
    )


@transaction.atomic
def renew_codes(*, actor: User) -> list[str]:
    """Make new recovery codes; the old ones end.

    Raises:
        Conflict: there is no second factor that they could stand in for.
    """
    if factor_of(actor) is None:
        raise Conflict(_("You have no second factor."), _("Set one up first."))
    audit.record(actor, "user.recovery_codes", actor)
    return _replace_codes(actor)


def _replace_codes(user: User) -> list[str]:
    codes = second_factor.new_recovery_codes()
    RecoveryCode.objects.filter(user=user).delete()
    hashed = [digest(second_factor.plain_recovery_code(code)) for code in codes]
    secrets.SystemRandom().shuffle(hashed)  # the order of the rows tells nothing
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_hash=each) for each in hashed
    )
    return codes


@transaction.atomic
def switch_off(*, actor: User, keep: int | None = None) -> None:
    """Go without a second factor again; who calls this has asked for a fresh proof. Other sessions end.

    Raises:
        Conflict: a role of the user's asks for one.
    """
    if is_required(actor):
        raise Conflict(
            _("A role of yours asks for a second factor."),
            _("An administrator can reset it; then set it up anew."),
        )
    _forget(actor)
    audit.record(actor, "user.second_factor_off", actor)
    end_sessions(actor=actor, user=actor, keep=keep)


@transaction.atomic
def reset(*, actor: Actor, user: User) -> None:
    """Take a user's second factor away, for somebody who lost the device; the user's sessions end.

    Raises:
        DomainError: the user stands above the actor, or is the actor.
    """
    if actor == user:
        raise Conflict(
            _("You cannot reset your own second factor."),
            _("Switch it off under My account, or ask another administrator."),
        )
    guards.ensure_not_above(actor, user)
    _forget(user)
    audit.record(actor, "user.second_factor_reset", user)
    end_sessions(actor=actor, user=user)


def _forget(user: User) -> None:
    SecondFactor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()

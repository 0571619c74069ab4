"""The verbs about users: every write to them, and their passwords (signing in: door.py)."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from accounts import guards
from accounts.models import Grant, RecoveryCode, SecondFactor, User
from accounts.services.grants import delete_grants
from accounts.services.sessions import end_sessions
from accounts.services.tokens import end_tokens
from adminset import audit
from adminset.audit import Actor
from adminset.crud import services as crud
from adminset.errors import Conflict, DomainError


@transaction.atomic
def save_user(*, actor: Actor, form: Any) -> User:
    """Save a user, with a new password where one is entered.

    Raises:
        DomainError: the actor may not do this to such a user, or no administrator would remain.
    """
    user: User = form.instance
    before = User.objects.filter(pk=user.pk).first()
    if user.is_superuser and not (before and before.is_superuser):
        guards.ensure_administrator(actor)
    if before is not None:
        _prepare_change(actor, before, user)
    password = form.cleaned_data.get("password")
    if user.kind == User.Kind.SERVICE:
        password = None
        _make_service(user, before)
    elif password:
        user.must_change_password = bool(form.cleaned_data.get("must_change"))
    if password or before is None:
        user.set_password(password or None)
    saved = cast("User", crud.save(actor=actor, form=form))
    if password and before is not None:
        audit.record(actor, "user.password", saved)
    if before is not None and (password or not _comes_in_by_the_door(saved)):
        end_sessions(actor=actor, user=saved)
    return saved


def _make_service(user: User, before: User | None) -> None:
    """Take from a service account what only people have; it speaks by API tokens.

    Raises:
        Conflict: it would be an administrator.
    """
    if user.is_superuser:
        raise Conflict(
            _("A service account is never an administrator."),
            _("Give it a grant with what it needs."),
            code="service_account",
        )
    if before is not None and before.kind != User.Kind.SERVICE:
        user.set_password(None)
        user.must_change_password = False
        SecondFactor.objects.filter(user=user).delete()
        RecoveryCode.objects.filter(user=user).delete()


def _comes_in_by_the_door(user: User) -> bool:
    return user.may_sign_in and user.kind == User.Kind.PERSON


def _prepare_change(actor: Actor, before: User, after: User) -> None:
    """Refuse a change that the actor may not make; a change of kind ends the tokens."""
    guards.ensure_not_above(actor, before)
    stays = after.is_active and after.kind == User.Kind.PERSON
    if actor == before and not stays:
        raise Conflict(
            _("You cannot take away your own sign-in."), _("Ask another administrator.")
        )
    if actor == before and after.expires_at != before.expires_at:
        raise Conflict(
            _("You cannot change the end of your own account."),
            _("Ask another administrator."),
        )
    if after.kind != before.kind:
        end_tokens(actor=actor, user=before)
    was_administrator = before.is_superuser and before.is_active
    if was_administrator and not (after.is_superuser and after.is_active):
        guards.ensure_administrator_remains(before)


@transaction.atomic
def delete_user(*, actor: Actor, instance: models.Model) -> None:
    """Delete a user with the grants and tokens; the audit trail keeps the name.

    Raises:
        DomainError: it is oneself, somebody above oneself, the last administrator, or still needed.
    """
    user = cast("User", instance)
    if actor == user:
        raise Conflict(
            _("You cannot delete yourself."), _("Ask another administrator.")
        )
    guards.ensure_not_above(actor, user)
    if user.is_superuser and user.is_active:
        guards.ensure_administrator_remains(user)
    delete_grants(actor, Grant.objects.filter(user=user))
    crud.delete(actor=actor, instance=user)


def check_password(*, password: str, user: User) -> None:
    """Hold a password against the rules.

    Raises:
        DomainError: says what is wrong with it, never the password.
    """
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        sentence = " ".join(error.messages)
        raise DomainError(
            sentence, code="weak_password", fields={"password": sentence}
        ) from error


@transaction.atomic
def set_password(
    *,
    actor: Actor,
    user: User,
    password: str,
    must_change: bool = False,
    keep: int | None = None,
) -> None:
    """Give a user a new password; the user's sessions end.

    Args:
        must_change: the user has to choose another one before anything else.
        keep: the id of the one session that goes on.

    Raises:
        DomainError: the password is too weak, or the user stands above the actor.
    """
    if actor != user:
        guards.ensure_not_above(actor, user)
    if user.source != User.Source.LOCAL:
        raise Conflict(
            _("%(name)s signs in by %(source)s: the password is kept there.")
            % {"name": user, "source": user.get_source_display()},
            _("Change it there."),
            code="external_user",
        )
    if user.kind == User.Kind.SERVICE:
        raise Conflict(
            _("%(name)s is a service account and has no password.") % {"name": user},
            _("Give it an API token."),
            code="service_account",
        )
    check_password(password=password, user=user)
    user.set_password(password)
    user.must_change_password = must_change
    user.save(update_fields=["password", "must_change_password", "updated_at"])
    audit.record(actor, "user.password", user)
    end_sessions(actor=actor, user=user, keep=keep)


@transaction.atomic
def save_profile(*, actor: Actor, form: Any) -> User:
    """Save what a user chose under My account."""
    return cast("User", crud.save(actor=actor, form=form))


@transaction.atomic
def save_preferences(*, actor: User, theme: str = "", language: str = "") -> None:
    """Keep what a user chose in the head of a page; too small for the audit trail."""
    if theme in User.Theme.values:
        actor.theme = theme
    if language in dict(settings.LANGUAGES):
        actor.language = language
    actor.save(update_fields=["theme", "language"])

"""Who comes in and goes out: passwords are checked here, guesses counted, and every try is recorded."""

from django.contrib import auth
from django.utils.translation import gettext as _

from accounts import throttle
from accounts.models import User
from accounts.services.users import set_password
from adminset import audit, context
from adminset.audit import SystemActor
from adminset.errors import DomainError


def authenticate(*, username: str, password: str) -> User:
    """Give the user whose name and password these are; failures are counted and recorded, never what was typed.

    Raises:
        DomainError: wrong, not allowed to sign in (the same words), or too many attempts (status 429).
    """
    address = context.current.get().address
    number = throttle.attempt(username, address)
    known = User.objects.filter(username=username).first()
    if number > throttle.LIMIT:
        if number == throttle.LIMIT + 1:
            _record_refusal(known, "session.throttled")
        raise throttle.too_many()
    user = auth.authenticate(username=username, password=password)
    if user is None:
        _record_refusal(known, "session.refused")
        raise DomainError(
            _("The user name or the password is not right."),
            _("Ask an administrator if you have forgotten it."),
            code="wrong_password",
        )
    throttle.forget(username, address)
    return user


def _record_refusal(known: User | None, verb: str) -> None:
    # A name that nobody has is not kept: it may be a password typed into the wrong box.
    name = known.username if known else "unknown user"
    audit.record(SystemActor(name, audit_kind="visitor"), verb, known)


def record_sign_in(*, actor: User) -> None:
    """Record that a session begins."""
    audit.record(actor, "session.start", actor)


def record_sign_out(*, actor: User) -> None:
    """Record that a session ends."""
    audit.record(actor, "session.end", actor)


def change_own_password(*, actor: User, old_password: str, password: str) -> None:
    """Change one's own password; guessing the old one is slowed down as at the door.

    Raises:
        DomainError: the old password is wrong, too many attempts, or the new one is too weak.
    """
    address = context.current.get().address
    if throttle.attempt(actor.username, address) > throttle.LIMIT:
        raise throttle.too_many()
    if not actor.check_password(old_password):
        _record_refusal(actor, "user.password_refused")
        raise DomainError(
            _("The old password is not right."),
            fields={"old_password": _("Not right.")},
        )
    throttle.forget(actor.username, address)
    set_password(actor=actor, user=actor, password=password)

"""Who comes in and goes out: passwords are checked here, guesses counted, and every try is recorded."""

import time
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from accounts import throttle
from accounts.backends import RoleBackend
from accounts.duties import SECOND_FACTOR_WANTED, first_duty
from accounts.models import SecondFactor, User
from accounts.services import second_factor, sessions
from accounts.services.break_glass import is_open
from accounts.services.external import NameRefused
from accounts.services.users import set_password
from accounts.sessions import METHOD, SessionStore
from accounts.tries import circumstances, count_attempt, record_refusal
from adminset import audit, context
from adminset.errors import DomainError
from adminset.http import PROVED_AT

PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
LDAP = "ldap"
# Whoever proved who he is: every session is read by the one backend that knows who may no longer sign in.
BACKEND = "accounts.backends.RoleBackend"


def authenticate(*, username: str, password: str) -> User:
    """Give the user whose name and password these are; failures are counted and recorded, never what was typed.

    The session does not begin by it: `enter` begins it, after whatever else is asked for.

    Raises:
        DomainError: wrong, not allowed to sign in (the same words), or too many attempts (status 429).
    """
    known = User.objects.filter(username=username).first()
    # Databases too may find a user by other spellings of the name.
    who = known.username if known else username
    count_attempt(who, known=known, method=PASSWORD)
    if not (settings.PASSWORD_SIGN_IN or is_open(known)):
        record_refusal(known, method=PASSWORD)
        raise DomainError(
            _("This portal does not take passwords."),
            _("Sign in by the provider."),
            code="password_off",
            status=403,
        )
    user = _proved(username, password)
    if user is None:
        record_refusal(known, method=PASSWORD)
        raise DomainError(
            _("The user name or the password is not right."),
            _("Ask an administrator if you have forgotten it."),
            code="wrong_password",
        )
    throttle.forget(who, context.current.get().address, kind=PASSWORD)
    return user


def _proved(username: str, password: str) -> User | None:
    """Ask whoever can prove a password; a directory's guesses count by its entry too, whatever name led there."""
    try:
        user = auth.authenticate(
            username=username, password=password, found=_count_entry
        )
    except NameRefused as error:
        record_refusal(None, method=LDAP, reason=error.reason)
        raise
    if user is not None and user.source == User.Source.LDAP:
        address = context.current.get().address
        throttle.forget(user.external_id or "", address, kind=LDAP)
    return user


def _count_entry(entry: str) -> None:
    people = User.objects.filter(source=User.Source.LDAP, external_id=entry)
    count_attempt(entry, known=people.first(), method=LDAP)


def method_of(user: User) -> str:
    """Say how a user who gave a name and a password was proved: by us, or by the directory."""
    return LDAP if user.source == User.Source.LDAP else PASSWORD


def enter(request: HttpRequest, *, user: User, method: str) -> None:
    """Begin the session of a user who has proved who he is, with a key of its own; recorded.

    Args:
        method: how: "password", "password+totp", "ldap", "oidc" and the like.

    Raises:
        DomainError: this user may not come in by the door.
    """
    if user.kind == User.Kind.SERVICE or not user.may_sign_in:
        record_refusal(user, method=method)
        raise DomainError(
            _("This account cannot sign in here."),
            _("Service accounts speak by API tokens."),
            code="no_sign_in",
            status=403,
        )
    request.session.flush()
    auth.login(request, user, backend=BACKEND)
    request.session[METHOD] = method
    request.session[PROVED_AT] = time.time()
    if second_factor.is_required(user) and second_factor.factor_of(user) is None:
        request.session[SECOND_FACTOR_WANTED] = True
    audit.record(user, "session.start", user, changes=circumstances(method))
    sessions.forget_ended()


def prove_by_code(*, user: User, code: str) -> str:
    """Take a code of somebody who is known by now; guesses are counted and recorded.

    Returns:
        "totp" or "recovery": what it was.

    Raises:
        DomainError: wrong or used already, or too many attempts (status 429).
    """
    method = second_factor.TOTP
    count_attempt(str(user.pk), known=user, method=method)
    try:
        kind = second_factor.use(user=user, code=code)
    except DomainError:
        record_refusal(user, "session.code_refused", method=method)
        raise
    throttle.forget(str(user.pk), context.current.get().address, kind=method)
    return kind


def set_up_factor(factor: SecondFactor, *, code: str, keep: int | None) -> list[str]:
    """Take the first code of an app that is set up, counted as any other; give the recovery codes.

    Raises:
        DomainError: wrong, or too many attempts (status 429).
    """
    user = factor.user
    count_attempt(str(user.pk), known=user, method=second_factor.TOTP)
    codes = second_factor.confirm(factor, code=code, keep=keep)
    address = context.current.get().address
    throttle.forget(str(user.pk), address, kind=second_factor.TOTP)
    return codes


def prove_by_password(*, user: User, password: str) -> None:
    """Take the password of somebody who is signed in once more; guesses are counted and recorded.

    Raises:
        DomainError: wrong, or too many attempts (status 429).
    """
    count_attempt(user.username, known=user, method=PASSWORD)
    if _proved(user.username, password) != user:
        record_refusal(user, "session.confirm_refused", method=PASSWORD)
        raise DomainError(
            _("The password is not right."),
            code="wrong_password",
            fields={"password": _("Not right.")},
        )
    throttle.forget(user.username, context.current.get().address, kind=PASSWORD)


def has_proved(request: HttpRequest) -> bool:
    """Say whether the session's last proof of who is there is fresh."""
    age = time.time() - request.session.get(PROVED_AT, 0)
    return 0 <= age < settings.STEP_UP_SECONDS


def leave(request: HttpRequest) -> None:
    """End the session of a request; recorded."""
    user = request.user
    if isinstance(user, User):
        method = request.session.get(METHOD, "")
        audit.record(user, "session.end", user, changes=circumstances(method))
    auth.logout(request)


def whose(session_key: str | None) -> User | None:
    """Read a session anew: whom it speaks for now, None when it has ended or its user may no longer come in.

    For what outlives a request, such as a web socket.
    """
    session = SessionStore(session_key)
    user = RoleBackend().get_user(session.get(auth.SESSION_KEY, 0))
    if user is None:
        return None
    told = session.get(auth.HASH_SESSION_KEY, "")
    right = (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    return user if any(constant_time_compare(told, each) for each in right) else None


def has_duty(user: User, session: Any) -> bool:
    """Say whether the user has something to do before a web socket opens (duties.py does it for pages)."""
    return first_duty(SimpleNamespace(user=user, session=session or {})) is not None


def change_own_password(
    *, actor: User, old_password: str, password: str, session: int | None = None
) -> None:
    """Change one's own password; guessing the old one is slowed down as at the door. Other sessions end.

    Args:
        session: the id of the session that goes on, the one in which it is changed.

    Raises:
        DomainError: the old password is wrong, too many attempts, or the new one is too weak or the old one.
    """
    count_attempt(actor.username, known=actor, method=PASSWORD)
    if not actor.check_password(old_password):
        record_refusal(actor, "user.password_refused", method=PASSWORD)
        raise DomainError(
            _("The old password is not right."),
            fields={"old_password": _("Not right.")},
        )
    throttle.forget(actor.username, context.current.get().address, kind=PASSWORD)
    if password == old_password:
        raise DomainError(
            _("The new password is the old one."),
            fields={"password": _("Choose one that you did not have before.")},
        )
    set_password(actor=actor, user=actor, password=password, keep=session)

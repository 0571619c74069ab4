"""What others do to a terminal: end it, lock it, invite somebody, say something; written down first, then ordered."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit import change_of
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import everywhere, may
from tasks.models import TerminalGuest, TerminalSession
from tasks.terminal import orders
from tasks.terminal.judging import could_open

LONGEST_SAYING = 500
CONTROL = "tasks.control_terminalsession"
State = TerminalSession.State


def kill(*, actor: Any, session: TerminalSession, reason: str = "") -> TerminalSession:
    """End a session: at once where its process hears, with the next look at its row where Redis is away.

    Raises:
        Forbidden: it is not the actor's, and the actor may not control it.
        Conflict: it is over.
    """
    _check(actor, session)
    words = _("Ended by %(who)s.") % {"who": actor.audit_name}
    if reason:
        words = f"{words} {reason}"
    with transaction.atomic():
        rows = TerminalSession.objects.open().filter(pk=session.pk)
        if not rows.update(end_reason=words[:500]):
            raise _over(session)
        # Nobody has come for it: there is no process that could end it.
        rows.filter(state=State.OPENING, process="").update(
            state=State.ENDED, ended_at=timezone.now()
        )
        audit.record(actor, "terminal.kill", session, reason=reason)
    orders.send(session.key, "kill", actor.audit_name, words=words)
    session.refresh_from_db()
    return session


def lock(*, actor: Any, session: TerminalSession) -> TerminalSession:
    """Let nobody type in a terminal, until it is unlocked.

    Raises:
        Forbidden: the actor may not control it.
        Conflict: it is over.
    """
    return _lock(actor, session, actor.audit_name[:150])


def unlock(*, actor: Any, session: TerminalSession) -> TerminalSession:
    """Let people type again; see `lock`."""
    return _lock(actor, session, "")


def _lock(actor: Any, session: TerminalSession, by: str) -> TerminalSession:
    _check(actor, session, own=False)
    with transaction.atomic():
        before = session.locked_by
        if (
            not TerminalSession.objects.open()
            .filter(pk=session.pk)
            .update(locked_by=by)
        ):
            raise _over(session)
        changes = [change_of("locked_by", before, by)]
        verb = "terminal.lock" if by else "terminal.unlock"
        audit.record(actor, verb, session, changes=changes)
    orders.send(session.key, "lock" if by else "unlock", actor.audit_name)
    session.locked_by = by
    return session


def invite(
    *, actor: Any, session: TerminalSession, user: Any, may_write: bool = False
) -> TerminalGuest:
    """Let a user look on, or type too where that user could have opened the terminal: this holds for who invites oneself as well.

    Raises:
        Forbidden: it is not the actor's, and the actor may not control it.
        Conflict: it is over.
        DomainError: the owner, somebody who cannot sign in, or a wish to type of one who could not have opened it.
    """
    _check(actor, session)
    _check_guest(session, user, may_write)
    with transaction.atomic():
        if not TerminalSession.objects.open().filter(pk=session.pk).exists():
            raise _over(session)
        rows = TerminalGuest.objects.filter(session=session, user=user)
        guest = rows.order_by("-pk").first() or TerminalGuest(
            session=session, user=user, username=user.username
        )
        guest.invited_by = actor.audit_name[:150]
        guest.invited_at, guest.may_write = timezone.now(), may_write
        guest.save()
        changes = [
            change_of("guest", None, user.username),
            change_of("may_write", None, may_write),
        ]
        audit.record(actor, "terminal.invite", session, changes=changes)
    orders.send(session.key, "invite", actor.audit_name, guest=user.username)
    return guest


def send_away(*, actor: Any, guest: TerminalGuest) -> None:
    """Take an invitation back: the guest's page closes.

    Raises:
        Forbidden: it is not the actor's terminal, and the actor may not control it.
    """
    session = guest.session
    _check(actor, session)
    with transaction.atomic():
        guest.invited_by, guest.invited_at, guest.may_write = "", None, False
        guest.save(update_fields=["invited_by", "invited_at", "may_write"])
        changes = [change_of("guest", guest.username, None)]
        audit.record(actor, "terminal.uninvite", session, changes=changes)
    orders.send(session.key, "invite", actor.audit_name, guest=guest.username)


def say(*, actor: Any, session: TerminalSession, words: str) -> None:
    """Show a sentence to all who are at a terminal.

    Raises:
        Forbidden: it is not the actor's, and the actor may not control it.
        DomainError: nothing to say.
    """
    _check(actor, session)
    told = " ".join(words.split())[:LONGEST_SAYING]
    if not told:
        raise DomainError(_("There is nothing to say."), fields={"words": _("Empty.")})
    audit.record(actor, "terminal.say", session, reason=told)
    orders.send(session.key, "say", actor.audit_name, words=told)


def may_control(actor: Any, session: TerminalSession, *, own: bool = True) -> bool:
    """Say whether somebody may end a session and invite others to it.

    Args:
        own: False for what its owner may not do to it (locking): who stopped the owner wants the owner to stop.
    """
    # A token that is limited to some hosts does not reach others because they are its user's.
    whole = getattr(actor, "token", None) is None
    mine = session.user_id == actor.pk
    if mine and not own:
        # A permission on other hosts takes in one's own sessions as well: too little for this.
        return everywhere(actor, CONTROL)
    return (mine and whole) or may(actor, "control", session)


def _check(actor: Any, session: TerminalSession, *, own: bool = True) -> None:
    if not may_control(actor, session, own=own):
        raise Forbidden(
            _("You may not control this terminal."),
            _("Ask for the permission tasks.control_terminalsession."),
            code="control_refused",
        )


def _check_guest(session: TerminalSession, user: Any, may_write: bool) -> None:
    if user.pk == session.user_id or not user.may_sign_in:
        words = _("%(user)s cannot be invited.")
        raise DomainError(words % {"user": user.username}, code="no_guest")
    if may_write and not could_open(user, session):
        words = _(
            "%(user)s could not open this terminal (its host, its credential), so may only look on."
        )
        raise DomainError(
            words % {"user": user.username},
            _("Invite without the right to type."),
            code="guest_may_not_type",
        )


def _over(session: TerminalSession) -> Conflict:
    return Conflict(
        _("%(session)s is not open any more.") % {"session": session},
        code="terminal_over",
    )

"""A page comes to a terminal with its ticket, and goes: who it is, what it may do there, and what is written down of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from accounts import door
from accounts.models import User
from adminset import context
from adminset.errors import DomainError, Forbidden
from tasks.models import TerminalSession
from tasks.terminal import ledger, tickets
from tasks.terminal.judging import OWNER, WATCHER, may_type, role_of, still_allowed
from tasks.terminal.live import LiveTerminal
from tasks.terminal.opening import bounded
from tasks.terminal.registry import REGISTRY
from tasks.terminal.viewers import Viewer

State = TerminalSession.State


@dataclass(frozen=True)
class Hello:
    """The first message of a page, with what the portal knows of it by itself.

    Attributes:
        user_id, session_key: of the sign-in that the socket came with.
        wanted: from which byte it wants the output; None: what is there.
        wake: is called, from any thread, when there is something to be sent.
    """

    key: str
    ticket: str
    user_id: int
    session_key: str | None
    address: str
    columns: int
    rows: int
    wanted: int | None
    wake: Callable[[], None]
    language: str


def may_come(user: Any, key: str) -> bool:
    """Say whether a user has any business at a terminal: others are not told that it is there."""
    session = TerminalSession.objects.filter(key=key).first()
    return session is not None and bool(role_of(user, session))


def enter(hello: Hello) -> tuple[LiveTerminal, Viewer]:
    """Let a page in, and begin the terminal where it is the first; everything about its user is asked for anew.

    Raises:
        DomainError: a sentence for the page; its code says how the socket closes.
    """
    context.current.set(context.RequestContext(address=hello.address))
    with translation.override(hello.language):
        user = _whose(hello)
        session = tickets.redeem(
            hello.ticket, user, hello.address, hello.key, hello.session_key
        )
        role = role_of(user, session)
        if role == OWNER:
            still_allowed(session, user)
        if not role:
            raise Forbidden(_("This terminal is not yours."), code="not_yours")
        viewer = _viewer(hello, user, session, role)
        return _join(session, viewer, hello), viewer


def _whose(hello: Hello) -> User:
    if hello.session_key is None:
        user = User.objects.active().filter(pk=hello.user_id).first()
    else:
        user = door.whose(hello.session_key)
    if user is None or user.pk != hello.user_id:
        raise Forbidden(
            _("Your sign-in has ended."), _("Sign in again."), code="signed_out"
        )
    return user


def _viewer(hello: Hello, user: Any, session: TerminalSession, role: str) -> Viewer:
    types = may_type(user, session)
    return Viewer(user, role, types, hello.session_key, hello.wake, hello.wanted)


def _join(session: TerminalSession, viewer: Viewer, hello: Hello) -> LiveTerminal:
    fresh = viewer.role == OWNER and session.state == State.OPENING
    if fresh and not session.process and not session.end_reason:
        return _begin(session, viewer, hello)
    terminal = REGISTRY.find(session)
    with terminal.audience.doorway:
        if viewer.role != OWNER:
            ledger.came(session, viewer.user, watches=viewer.role == WATCHER)
        terminal.attach(viewer)
    if hello.columns and hello.rows:
        terminal.resize(viewer, hello.columns, hello.rows)
    return terminal


def _begin(session: TerminalSession, viewer: Viewer, hello: Hello) -> LiveTerminal:
    if hello.columns and hello.rows:
        session.columns, session.rows = bounded(hello.columns, hello.rows)
    try:
        return REGISTRY.begin(session, viewer)
    except DomainError as error:
        ledger.refuse(session, f"{error.message} {error.hint}".strip())
        raise


def left(terminal: LiveTerminal, viewer: Viewer) -> None:
    """Write down that the page of somebody besides the owner is gone, unless there is another one."""
    with terminal.audience.doorway:
        others = [one.user.pk for one in terminal.audience.all()]
        if viewer.user.pk not in others:
            ledger.left(terminal.session, viewer.user)

"""Whether the people at a terminal may still be there: asked each minute, and as soon as the trail tells of a change of rights."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from accounts import door
from accounts.models import User
from accounts.services.sessions import note_seen
from accounts.sessions import SessionStore
from adminset.errors import DomainError
from adminset.models import AuditEntry
from tasks.models import TerminalSession
from tasks.terminal.judging import OWNER, may_type, role_of, still_allowed
from tasks.terminal.live import LiveTerminal
from tasks.terminal.viewers import NOT_ALLOWED, SIGNED_OUT, Viewer

# Lines of the trail after which somebody may have fewer rights than before: by what their verbs begin with.
CHANGES = ("grant.", "role.")
# The same where they tell of a person, a session, a host or a credential that is here, or of many at once.
CHANGES_OF_PEOPLE = ("user.", "session.end")
CHANGES_OF_SESSIONS = ("terminal.invite", "terminal.uninvite")
CHANGES_OF_OPEN = ("credential.", "host.update", "host.delete", "host.retire")
# These come in crowds, from imports and directories, and are seldom about anybody here: looks for their sake are apart.
CHANGES_IN_CROWDS = ("groupmapping.", "apitoken.", "hostgroup.")
APART_SECONDS = 5.0
MANY = ""
# A line may be written before another and be there after it: those of so long are looked at again.
BACK = timedelta(seconds=10)
# Many changes in a row are answered by one look.
LOOK_SECONDS = 1.0


class Trail:
    """Knows whether the trail has new lines about rights since the last question, in any process."""

    def __init__(self) -> None:
        self._known = self._lines(())
        self._looked = time.monotonic()
        self._waits = False
        self._answered = self._looked - APART_SECONDS

    def changed(self, terminals: Iterable[LiveTerminal]) -> bool:
        """Say whether rights changed that matter to these; asked of the database once a second at most."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return False
        self._looked = now
        before, self._known = self._known, self._lines(terminals)
        new = self._known.keys() - before.keys()
        self._waits = self._waits or bool(new)
        at_once = any(self._known[pk] for pk in new)
        if at_once or (self._waits and now - self._answered >= APART_SECONDS):
            self._waits, self._answered = False, now
            return True
        return False

    def _lines(self, terminals: Iterable[LiveTerminal]) -> dict[int, bool]:
        """Give the last lines that matter: whether one wants a look at once, by its id."""
        lines = AuditEntry.objects.filter(
            _wanted(terminals), at__gte=timezone.now() - BACK
        )
        told = lines.values_list("pk", "verb", "target_id")
        return {pk: _wants_at_once(verb, target) for pk, verb, target in told}


def _wanted(terminals: Iterable[LiveTerminal]) -> Q:
    """Ask for the lines that matter to some terminals."""
    people, sessions, places = {MANY}, set(), {MANY}
    for terminal in terminals:
        session = terminal.session
        people |= {str(one.user.pk) for one in terminal.audience.all()}
        people.add(str(session.user_id))
        sessions.add(str(session.pk))
        places |= {str(session.host_id), str(session.credential_id)}
    return (
        _begins(CHANGES + CHANGES_IN_CROWDS)
        | (_begins(CHANGES_OF_PEOPLE) & Q(target_id__in=people))
        | (_begins(CHANGES_OF_SESSIONS) & Q(target_id__in=sessions))
        | (_begins(CHANGES_OF_OPEN) & Q(target_id__in=places))
    )


def _begins(words: Iterable[str]) -> Q:
    found = Q()
    for word in words:
        found |= Q(verb__startswith=word)
    return found


def _wants_at_once(verb: str, target_id: str) -> bool:
    of_many = target_id == MANY and verb.startswith(CHANGES_OF_OPEN)
    return not of_many and not verb.startswith(CHANGES_IN_CROWDS)


class Eyes:
    """Reads the users of one round of looks anew, each once, however many terminals are theirs."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str | None, int | None], User | None] = {}

    def user(self, session_key: str | None, user_id: int | None) -> User | None:
        """Read a user by the portal's session that the page came with, where there was one; None: may not come in any more."""
        who = (session_key, user_id)
        if who not in self._seen:
            self._seen[who] = _now(session_key, user_id)
        return self._seen[who]


def look(terminal: LiveTerminal, eyes: Eyes, typed_since: float) -> None:
    """Ask anew who is at a terminal and what they may do; who may not any more is sent away, and without its owner it ends.

    Args:
        typed_since: the moment of the last look (time.monotonic): who typed since then keeps the portal's session alive.
    """
    session = TerminalSession.objects.filter(pk=terminal.session.pk).first()
    if session is None:
        terminal.end("", NOT_ALLOWED)
        return
    typed = terminal.keyboard.last_input > typed_since
    _look_at_owner(terminal, session, eyes, typed)
    for viewer in terminal.audience.all():
        if viewer.role != OWNER:
            user = eyes.user(viewer.session_key, viewer.user.pk)
            _look_at_guest(viewer, session, user)


def _look_at_owner(
    terminal: LiveTerminal, session: TerminalSession, eyes: Eyes, typed: bool
) -> None:
    key = terminal.owner_session
    user = eyes.user(key, session.user_id)
    try:
        still_allowed(session, user)
    except DomainError as error:
        code = SIGNED_OUT if error.code == "signed_out" else NOT_ALLOWED
        terminal.end(f"{error.message} {error.hint}".strip(), code)
        return
    if typed and key is not None and (row := SessionStore(key).row) is not None:
        note_seen(session=row)


def _look_at_guest(viewer: Viewer, session: TerminalSession, user: User | None) -> None:
    role = role_of(user, session)
    if not role:
        viewer.close(SIGNED_OUT if user is None else NOT_ALLOWED)
        return
    viewer.may(role, may_type(user, session))


def _now(session_key: str | None, user_id: int | None) -> User | None:
    if session_key is None:
        return User.objects.active().filter(pk=user_id).first()
    user: Any = door.whose(session_key)
    return user if user is not None and user.pk == user_id else None


def is_due(looked: float) -> bool:
    """Say whether the last look (time.monotonic) is long enough ago."""
    return time.monotonic() - looked >= settings.TERMINAL_RECHECK_SECONDS

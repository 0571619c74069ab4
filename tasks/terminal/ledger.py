"""What is written down of a terminal while it lives: taken by a process, live, away, what was entered, who looked on, the end."""

import logging
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import DataError, transaction
from django.utils import timezone

from accounts.models import User
from adminset import audit
from adminset.audit import change_of
from adminset.redaction import clean
from tasks.models import TerminalCommand, TerminalGuest, TerminalSession

State = TerminalSession.State
LEASE_SECONDS = 30
NAMELESS = audit.SystemActor("terminal")
logger = logging.getLogger(__name__)


@dataclass
class Count:
    """What went through a terminal so far."""

    bytes_in: int = 0
    bytes_out: int = 0
    commands: int = 0
    last_input_at: datetime | None = None

    def values(self) -> dict[str, Any]:
        """Give it by the names of the row's fields."""
        typed = {"last_input_at": self.last_input_at} if self.last_input_at else {}
        return {
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "command_count": self.commands,
            **typed,
        }


@dataclass
class Seen:
    """What the row of a session says that others wrote there."""

    open: bool = False
    end_reason: str = ""
    locked_by: str = ""


@dataclass
class Ending:
    """How a session ends: its last state, why, and under which verb the trail tells it."""

    state: str
    words: str
    verb: str = "terminal.end"
    count: Count = field(default_factory=Count)


def process_name() -> str:
    """Name this process, as the rows of its sessions do."""
    return f"{socket.gethostname()}:{os.getpid()}"[:150]


def claim(session: TerminalSession) -> bool:
    """Take a session whose page has come, with the size of that page; False where another page was quicker, or it is over."""
    mine = TerminalSession.objects.filter(
        pk=session.pk, state=State.OPENING, process=""
    )
    size = {"columns": session.columns, "rows": session.rows}
    return bool(mine.update(process=process_name(), lease_until=_lease(), **size))


def went_live(session: TerminalSession) -> bool:
    """Note that the shell is open; False where the session was ended meanwhile."""
    return _move(session, State.LIVE, last_input_at=timezone.now())


def went_away(session: TerminalSession, away: bool) -> None:
    """Note that the page is gone, or back."""
    _move(session, State.AWAY if away else State.LIVE)


def _move(session: TerminalSession, state: str, **values: Any) -> bool:
    rows = _mine().filter(pk=session.pk)
    return bool(rows.update(state=state, lease_until=_lease(), **values))


def _mine() -> Any:
    """The open sessions of this process: no other one's row is ever written."""
    return TerminalSession.objects.open().filter(process=process_name())


def _lease() -> datetime:
    return timezone.now() + timedelta(seconds=LEASE_SECONDS)


def renew(counts: dict[int, Count]) -> dict[int, Seen]:
    """Say that sessions live, with what went through them; give what their rows say of them now.

    Args:
        counts: by the ids of the sessions.
    """
    rows = TerminalSession.objects.filter(pk__in=counts, process=process_name())
    told = rows.values_list("pk", "state", "end_reason", "locked_by")
    seen = {
        pk: Seen(state in TerminalSession.OPEN, why, by) for pk, state, why, by in told
    }
    lease = _lease()
    with transaction.atomic():
        for pk, count in counts.items():
            if pk in seen and seen[pk].open:
                _mine().filter(pk=pk).update(lease_until=lease, **count.values())
    return seen


def locked_by(session: TerminalSession) -> str:
    """Say by whom a session is locked now, "" where it is not."""
    rows = TerminalSession.objects.filter(pk=session.pk)
    return rows.values_list("locked_by", flat=True).first() or ""


def keep_commands(rows: Iterable[TerminalCommand]) -> None:
    """Write down what was entered; what stands there already stays as it is."""
    rows = list(rows)
    try:
        with transaction.atomic():
            TerminalCommand.objects.bulk_create(rows, ignore_conflicts=True)
    except (DataError, ValueError):
        for row in rows:
            _keep_alone(row)


def _keep_alone(row: TerminalCommand) -> None:
    """Write down one that others stood in the way of, or that the database does not take: that one must not stop the rest."""
    try:
        with transaction.atomic():
            TerminalCommand.objects.bulk_create([row], ignore_conflicts=True)
    except (DataError, ValueError):
        logger.exception(
            "command %s of terminal %s is not kept", row.number, row.session_id
        )


def tell(session: TerminalSession, verb: str, words: str, by: str) -> None:
    """Tell the trail, and with it web-hooks, of a command that a rule of the guard speaks of, in the name of who typed it.

    Args:
        by: the name of who typed it; "" is the owner.
    """
    if by in ("", session.username):
        audit.record(session.user or NAMELESS, verb, session, reason=words)
        return
    guest = User.objects.filter(username=by).first()
    changes = [change_of("typed_by", None, by)]
    audit.record(guest or NAMELESS, verb, session, changes=changes, reason=words)


def resized(session: TerminalSession, columns: int, rows: int) -> None:
    """Note the size that a terminal has."""
    _mine().filter(pk=session.pk).update(columns=columns, rows=rows)


def end(session: TerminalSession, ending: Ending) -> bool:
    """Write down the end of a session of this process, and tell the trail; False where it was over already."""
    words = clean(ending.words)[:500]
    with transaction.atomic():
        ended = _mine().filter(pk=session.pk)
        if not ended.update(
            state=ending.state,
            end_reason=words,
            ended_at=timezone.now(),
            lease_until=None,
            **ending.count.values(),
        ):
            return False
        session.refresh_from_db()
        TerminalGuest.objects.filter(session=session, left_at=None).exclude(
            joined_at=None
        ).update(left_at=timezone.now())
        actor = session.user or NAMELESS
        audit.record(actor, ending.verb, session, changes=_told(session), reason=words)
    return True


def refuse(session: TerminalSession, words: str) -> None:
    """Write down that a session for which its page came did not begin, and tell the trail."""
    told = clean(words)[:500]
    with transaction.atomic():
        rows = TerminalSession.objects.filter(
            pk=session.pk, state=State.OPENING, process=""
        )
        if rows.update(state=State.REFUSED, end_reason=told, ended_at=timezone.now()):
            session.refresh_from_db()
            actor = session.user or NAMELESS
            audit.record(actor, "terminal.refuse", session, reason=told)


def _told(session: TerminalSession) -> list[audit.Change]:
    names = ("bytes_in", "bytes_out", "command_count", "recording", "recording_sha256")
    values = {name: getattr(session, name) for name in names}
    return [change_of(name, None, value) for name, value in values.items() if value]


def came(session: TerminalSession, user: Any, *, watches: bool) -> None:
    """Write down that somebody besides the owner is there, and tell the trail once a visit."""
    now = timezone.now()
    with transaction.atomic():
        rows = TerminalGuest.objects.filter(session=session, user=user)
        guest = rows.select_for_update().order_by("-pk").first()
        if guest is None:
            guest = TerminalGuest(session=session, user=user, username=user.username)
        guest.joined_at, guest.left_at = now, None
        guest.save()
        verb = "terminal.watch" if watches else "terminal.join"
        audit.record(user, verb, session)


def left(session: TerminalSession, user: Any) -> None:
    """Write down that somebody besides the owner is gone."""
    rows = TerminalGuest.objects.filter(session=session, user=user, left_at=None)
    rows.exclude(joined_at=None).update(left_at=timezone.now())

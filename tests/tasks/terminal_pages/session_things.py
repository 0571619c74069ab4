"""Terminal sessions for tests: rows as they stand while a terminal lives and after it, without any shell."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.utils import timezone

from accounts.models import User
from cmdb.models import Host
from tasks.models import TerminalCommand, TerminalGuest, TerminalSession
from tests.tasks.recording.recordings import new_session

# What a person or a host may write to fool a reader.
HOSTILE = "<script>alert(1)</script> \u202etxt.exe \x1b]0;owned\x07 {{ 7 }} ' OR 1=1"


def make_session(user: User, host: Host, **fields: Any) -> TerminalSession:
    """Make a live one; `state="ended"` and the like for others."""
    return new_session(user, host, **fields)


def make_ended(user: User, host: Host, **fields: Any) -> TerminalSession:
    """Make one that is over."""
    given = {"state": TerminalSession.State.ENDED, "ended_at": timezone.now()}
    return new_session(user, host, **given | fields)


def make_command(
    session: TerminalSession, text: str = "ls", **fields: Any
) -> TerminalCommand:
    """Enter a line in one."""
    number = session.commands.count() + 1
    return TerminalCommand.objects.create(
        session=session, number=number, text=text, **fields
    )


def invite(session: TerminalSession, user: User, **fields: Any) -> TerminalGuest:
    """Let somebody be invited to one, by its user."""
    given = {"invited_by": session.username, "invited_at": timezone.now()}
    return TerminalGuest.objects.create(
        session=session, user=user, username=user.username, **given | fields
    )


def page(client: Client, address: str, **query: str) -> str:
    """Get a page that opens."""
    answer = client.get(address, query)
    assert answer.status_code == 200
    return answer.content.decode()

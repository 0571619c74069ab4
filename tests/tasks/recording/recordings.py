"""Ways to sessions and recordings that several tests share."""

import secrets
from typing import Any

from accounts.models import User
from cmdb.models import Host
from tasks.models import TerminalSession


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def go(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


def new_session(user: User | None, host: Host | None, **fields: Any) -> TerminalSession:
    """Make a live session."""
    assert user is not None
    assert host is not None
    given = {
        "key": secrets.token_urlsafe(32),
        "username": user.username,
        "host_name": host.hostname,
        "state": TerminalSession.State.LIVE,
    }
    return TerminalSession.objects.create(user=user, host=host, **{**given, **fields})

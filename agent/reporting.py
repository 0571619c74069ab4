"""Decides when facts are worth a request, and what the portal wants in them."""

import logging
import time
from typing import Any, Callable, Dict, FrozenSet, Optional

from agent.facts import content
from agent.logs import quoted
from agent.sampler import FAULTS
from agent.schedule import Pace

CHECK_SECONDS = 60.0
FAULT_PAUSE = 300.0
WISH_PAUSE = 600.0
WISHES = frozenset({"packages"})
Gather = Callable[[FrozenSet[str]], Dict[str, Any]]
log = logging.getLogger(__name__)


class Reporting:
    """`check` is the moment when the facts are looked at again, on the monotonic clock."""

    def __init__(self, gather: Gather, pace: Pace) -> None:
        self.gather, self.pace = gather, pace
        self.check = float("-inf")
        self.sent_at = float("-inf")
        self.sent: Optional[Dict[str, Any]] = None
        self.found: Optional[Dict[str, Any]] = None
        self.wanted: FrozenSet[str] = frozenset()
        self.granted_at = float("-inf")

    def is_due(self) -> bool:
        return time.monotonic() >= self.check

    def body(self) -> Optional[Dict[str, Any]]:
        """What to post now; None when the portal knows it all, or it cannot be had."""
        try:
            body = self.gather(self.wanted)
        except FAULTS as error:
            self.check = time.monotonic() + FAULT_PAUSE
            reason = f"{type(error).__name__}: {error}"
            log.warning("event=facts_failed error=%s", quoted(reason))
            return None
        now = time.monotonic()
        self.found = content(body["facts"])
        self.check = now + min(CHECK_SECONDS, self.pace.facts_seconds)
        fresh = now < self.sent_at + self.pace.facts_seconds
        known = self.found == self.sent and fresh and not self.wanted
        return None if known else body

    def done(self) -> None:
        """The portal has them, or will never take them."""
        self.sent, self.sent_at = self.found, time.monotonic()
        self.wanted = frozenset()

    def wish(self, names: Any) -> None:
        """The portal wants more in the facts; granted now and then, however often it asks."""
        named = names if isinstance(names, list) else []
        known = WISHES & {name for name in named if isinstance(name, str)}
        now = time.monotonic()
        if known and now >= self.granted_at + WISH_PAUSE:
            self.wanted, self.granted_at = known, now
            self.check = now

    def later(self, pause: float) -> None:
        """Only the facts were refused: the samples go on."""
        self.check = max(self.check, time.monotonic() + pause)

    def sooner(self, pause: float) -> None:
        """The portal was away: facts are looked at when it may be back."""
        self.check = min(self.check, time.monotonic() + pause)

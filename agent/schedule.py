"""When things happen: the pace the portal asks for, and back-off after failures."""

import hashlib
import random
import threading
from typing import Any

SHORTEST, LONGEST = 1, 86400
WARMUP_INTERVAL = 5.0
BACKOFF_FIRST, BACKOFF_CAP = 2.0, 300.0


def fraction(text: str) -> float:
    """A stable number in [0, 1) made from a text: spreads a fleet over time."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / float(1 << 32)


class Pace:
    """Intervals in seconds on the monotonic clock; `changed` tells of a new wish."""

    def __init__(
        self, sample_seconds: float, flush_seconds: float, facts_seconds: float
    ) -> None:
        self.sample_seconds = sample_seconds
        self.flush_seconds = flush_seconds
        self.facts_seconds = facts_seconds
        self.changed = threading.Event()
        self.phase = 0.0
        self.warm_until = float("-inf")

    def warm_up(self, until: float, agent_id: str) -> None:
        """Sample quickly until that moment, so that a fresh host draws at once."""
        self.warm_until = until
        self.phase = fraction(agent_id)

    def follow(self, settings: Any) -> None:
        """Take over the portal's wish, clamped; what is not a number is ignored."""
        if not isinstance(settings, dict):
            return
        for name in ("sample_seconds", "flush_seconds", "facts_seconds"):
            wish = settings.get(name)
            if isinstance(wish, bool) or not isinstance(wish, (int, float)):
                continue
            seconds = min(max(wish, SHORTEST), LONGEST)
            if seconds != getattr(self, name):
                setattr(self, name, seconds)
                self.changed.set()

    def sample_interval(self, now: float) -> float:
        return self._interval(self.sample_seconds, now)

    def flush_interval(self, now: float) -> float:
        return self._interval(self.flush_seconds, now)

    def _interval(self, seconds: float, now: float) -> float:
        return min(seconds, WARMUP_INTERVAL) if now < self.warm_until else seconds

    def next_sample(self, now: float) -> float:
        """The next tick of a grid whose phase belongs to this agent.

        Ticks that were slept through are gone, and one that is nearer than half
        an interval is left out: no burst, no doubles.
        """
        interval = self.sample_interval(now)
        gap = interval - (now - self.phase * interval) % interval
        return now + gap + (interval if gap < interval / 2 else 0.0)


class Backoff:
    """Full jitter (a random part of a doubling ceiling), capped at 300 s."""

    def __init__(self) -> None:
        self.failures = 0

    def reset(self) -> None:
        self.failures = 0

    def delay(self, least: float = 0.0) -> float:
        ceiling = min(BACKOFF_CAP, BACKOFF_FIRST * 2.0 ** min(self.failures, 16))
        self.failures += 1
        return max(least, random.SystemRandom().uniform(0.0, ceiling))

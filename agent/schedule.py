"""When things happen: the pace the portal asks for, and back-off after failures."""

import hashlib
import random
import threading
from typing import Any, Optional, Tuple

SHORTEST, LONGEST = 1, 86400
WARMUP_INTERVAL = 5.0
LIVE_INTERVAL, LONGEST_LIVE = 1.0, 300.0
BACKOFF_FIRST, BACKOFF_CAP = 2.0, 300.0


def fraction(text: str) -> float:
    """A stable number in [0, 1) made from a text: spreads a fleet over time."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / float(1 << 32)


def number(wish: Any) -> Optional[float]:
    """What the portal says as a number; None for anything else, NaN too."""
    if isinstance(wish, bool) or not isinstance(wish, (int, float)):
        return None
    return wish if abs(wish) < float("inf") else None


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
        self.live_until = float("-inf")

    def warm_up(self, until: float, agent_id: str) -> None:
        """Sample quickly until that moment, so that a fresh host draws at once."""
        self.warm_until = until
        self.phase = fraction(agent_id)

    def follow(self, settings: Any) -> None:
        """Take over the portal's wish, clamped; what is not a number is ignored."""
        if not isinstance(settings, dict):
            return
        for name in ("sample_seconds", "flush_seconds", "facts_seconds"):
            wish = number(settings.get(name))
            if wish is None:
                continue
            seconds = min(max(wish, SHORTEST), LONGEST)
            if seconds != getattr(self, name):
                setattr(self, name, seconds)
                self.changed.set()

    def watch(self, live: Any, now: float) -> None:
        """Somebody looks at this host: sample and send each second for so long."""
        seconds = number(live.get("seconds")) if isinstance(live, dict) else None
        if seconds is None or seconds <= 0:
            return
        was_live = self.is_live(now)
        self.live_until = max(self.live_until, now + min(seconds, LONGEST_LIVE))
        if not was_live:
            self.changed.set()

    def is_live(self, now: float) -> bool:
        return now < self.live_until

    def sample_interval(self, now: float) -> float:
        return self._interval(self.sample_seconds, now)

    def flush_interval(self, now: float) -> float:
        return self._interval(self.flush_seconds, now)

    def _interval(self, seconds: float, now: float) -> float:
        if self.is_live(now):
            return min(seconds, LIVE_INTERVAL)
        return min(seconds, WARMUP_INTERVAL) if now < self.warm_until else seconds

    def next_sample(self, now: float) -> float:
        """The next tick of a grid whose phase belongs to this agent.

        Ticks that were slept through are gone, and one that is nearer than half
        an interval is left out: no burst, no doubles.
        """
        interval = self.sample_interval(now)
        gap = interval - (now - self.phase * interval) % interval
        return now + gap + (interval if gap < interval / 2 else 0.0)

    def flush_slot(self, now: float) -> Tuple[float, int]:
        """Changes when it is time to send: a grid with this agent's own phase.

        A fleet that starts in one moment is spread over the whole interval. Half
        a sampling interval is added: a tick may come a little before its time.
        """
        interval = self.flush_interval(now)
        reached = now + self.sample_interval(now) / 2 - self.phase * interval
        return interval, int(reached // interval)


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

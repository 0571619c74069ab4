"""How long to be silent after an answer that was no success."""

import random

from agent import sender as http
from agent.schedule import Backoff
from agent.sender import Reply

CATCH_UP_PAUSE = 1.0
DENIED_PAUSE = (300.0, 600.0)
SKEW_PAUSE = 60.0


def pause_after(reply: Reply, backoff: Backoff) -> float:
    """Seconds; never none, so that no answer makes the agent spin."""
    if reply.action in (http.DROP, http.SPLIT):
        return CATCH_UP_PAUSE
    if reply.action == http.DENIED:
        return random.SystemRandom().uniform(*DENIED_PAUSE)
    if reply.action == http.SKEW:
        return backoff.delay(least=SKEW_PAUSE)
    if reply.retry_after is not None:
        return reply.retry_after + min(backoff.delay(), reply.retry_after / 10 + 1)
    return backoff.delay()

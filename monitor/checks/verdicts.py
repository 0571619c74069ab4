"""What an answer means for a state: how many of them it takes to change it; pure, no database."""

from dataclasses import dataclass

from monitor.watched_models import State

# From good to bad. What is not known is neither: it weighs like an answer that is missing.
RANK = {State.UP: 0, State.DEGRADED: 1, State.UNKNOWN: 2, State.DOWN: 3}


@dataclass(frozen=True)
class Outcome:
    """What came of one question.

    Attributes:
        state: up, degraded, down, or unknown where it could not be asked.
        sentence: what was found, in words.
        latency_ms: how long the answer took, where there was one.
    """

    state: str
    sentence: str
    latency_ms: float | None = None


@dataclass(frozen=True)
class Patience:
    """How many answers in a row it takes.

    Attributes:
        retries: bad ones more than the first, until it counts.
        recover_after: good ones until it is up again.
    """

    retries: int
    recover_after: int


@dataclass(frozen=True)
class Verdict:
    """How a thing stands after an answer; `streak` counts answers that speak for another state (above 0: a worse one)."""

    state: str
    streak: int


def judge(state: str, streak: int, answer: str, patience: Patience) -> Verdict:
    """Say how a thing stands that stood so, after one more answer.

    A first good answer counts at once; a first bad one has to come as often as any other.
    """
    if answer == state:
        return Verdict(state, 0)
    if state not in RANK or (state == State.UNKNOWN and answer != State.DOWN):
        return Verdict(answer, 0)
    worse = RANK[State(answer)] > RANK[State(state)]
    if worse:
        count = max(streak, 0) + 1
        return Verdict(answer, 0) if count > patience.retries else Verdict(state, count)
    count = max(-streak, 0) + 1
    return (
        Verdict(answer, 0)
        if count >= patience.recover_after
        else Verdict(state, -count)
    )

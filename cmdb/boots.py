"""Does one machine speak under a credential, or a copy of it too? And is a report new? Told by boot ids; pure.

A machine that starts anew has a new boot id and never comes back to the old one. Two machines with one credential
take turns: a boot id that another one had followed speaks again, and again. What a machine had kept from before it
started (its spool) bears the old boot id too, but was made before the new one was first heard.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

KEPT = 8
WINDOW_SECONDS = 3600.0
# One return may be a machine that was set back to a snapshot of itself; the second is another machine.
RETURNS = 2


class Verdict(StrEnum):
    """What to make of a report."""

    FRESH = "fresh"
    STALE = "stale"
    CLONED = "cloned"


@dataclass(frozen=True)
class Heard:
    """A report.

    Attributes:
        at: when what it says was found, in Unix seconds by our clock.
        seq: counts up within a boot, where the agent says it.
        sent_at: Unix seconds by the host's clock, of reports that must not be taken twice.
    """

    boot_id: str
    at: float
    seq: int | None = None
    sent_at: float | None = None


def hear(
    state: dict[str, Any], current: str, heard: Heard
) -> tuple[Verdict, dict[str, Any]]:
    """Judge a report; gives the verdict and the new state, which is JSON.

    Args:
        state: what the last call gave, {} at the beginning.
        current: boot id that spoke last.
    """
    known = {each["id"]: dict(each) for each in state.get("known", [])}
    if current and current not in known:
        known[current] = {"id": current, "first": 0.0}
    mine = known.get(heard.boot_id)
    returns = [at for at in state.get("returns", []) if at > heard.at - WINDOW_SECONDS]
    refused = list(state.get("refused", []))
    verdict = Verdict.FRESH
    if mine is None:
        mine = known[heard.boot_id] = {"id": heard.boot_id, "first": heard.at}
    elif _is_stale(mine, known.get(current, mine), heard):
        return Verdict.STALE, state
    elif heard.boot_id != current:
        returns.append(heard.at)
        if len(returns) >= RETURNS:
            newer = max(mine, known[current], key=lambda each: each["first"])
            refused, returns = [*refused, newer["id"]][-KEPT:], []
            verdict = Verdict.CLONED
    _count(mine, heard)
    kept = sorted(known.values(), key=lambda each: each["first"])[-KEPT:]
    return verdict, {"known": kept, "returns": returns, "refused": refused}


def _is_stale(mine: dict[str, Any], last: dict[str, Any], heard: Heard) -> bool:
    if mine["id"] != last["id"] and heard.at <= last["first"]:
        return True
    # A clock that was put right may go back, a count does after a snapshot: only a repetition does both.
    behind = [
        told <= mine[name]
        for name, told in (("seq", heard.seq), ("sent", heard.sent_at))
        if told is not None and name in mine
    ]
    return bool(behind) and all(behind)


def _count(mine: dict[str, Any], heard: Heard) -> None:
    if heard.seq is not None:
        mine["seq"] = heard.seq
    if heard.sent_at is not None:
        mine["sent"] = heard.sent_at

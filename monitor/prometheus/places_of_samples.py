"""Puts remote-written values beside what the store has of the same moment: a lane has one sample a millisecond there.

Prometheus sends the values of one scrape in several requests, all with one time. The first takes that millisecond, the
next ones those behind it. Which one a set of values has is remembered; where the store has something else at it (another
process wrote), the store is asked what of the values is there already, and the rest moves on. So a request that comes
twice is kept once.
"""

import threading
import zlib
from collections.abc import Mapping

from adminset.errors import DomainError
from monitor.metric_store import store
from monitor.prometheus.lanes import lane_of
from monitor.records import remember
from monitor.series import Sample

# How far behind its own time a value may be put, in milliseconds.
MOST_PLACES = 200

Values = Mapping[str, float]
Moments = Mapping[int, Values]
_lock = threading.Lock()
# (lane, Unix milliseconds) -> the sets of names that this process put there, in order.
_taken: dict[tuple[int, int], list[int]] = {}


def forget() -> None:
    """Remember nothing of what was put where."""
    with _lock:
        _taken.clear()


def keep(batches: Mapping[int, Moments]) -> int:
    """Store values durably, each once.

    Args:
        batches: host id -> Unix milliseconds -> name -> value.

    Returns:
        how many values are in the store now, new or known.

    Raises:
        StoreUnavailable: nothing is acknowledged.
        DomainError: there is no room at a moment; sending it again makes none.
    """
    waiting: list[Waiting] = [
        (lane, moment, _place(lane, moment, part), part)
        for host_id, moments in batches.items()
        for moment, values in sorted(moments.items())
        for lane, part in _by_lane(host_id, values).items()
    ]
    values = sum(len(part) for *_, part in waiting)
    while waiting:
        waiting = _moved_on(waiting)
    return values


# (lane, Unix milliseconds, place behind them, values)
Waiting = tuple[int, int, int, Values]


def _moved_on(waiting: list[Waiting]) -> list[Waiting]:
    """Write; give what was not new and is not there either, one place further."""
    batches: dict[int, list[Sample]] = {}
    for lane, moment, place, values in waiting:
        sample = Sample((moment + place) / 1000, values)
        batches.setdefault(lane, []).append(sample)
    statuses = store().write_many(batches)
    told = {lane: iter(found) for lane, found in statuses.items()}
    repeated = [item for item in waiting if next(told[item[0]]) == "duplicate"]
    return [
        (lane, moment, _next(place), missing)
        for lane, moment, place, values in repeated
        if (missing := _missing(lane, moment, values))
    ]


def _next(place: int) -> int:
    if place >= MOST_PLACES:
        raise DomainError(
            "This host has too many samples of this moment already.",
            "Write the series of a host from one Prometheus, in fewer requests.",
            code="moment_full",
            status=400,
        )
    return place + 1


def _missing(lane: int, moment: int, values: Values) -> Values:
    """Give those of the values that the store has not at their moment or a little behind it."""
    start, end = moment / 1000, (moment + MOST_PLACES + 1) / 1000
    lines = store().series(lane, list(values), start, end).series
    there = {n for n, line in lines.items() if any(v is not None for v in line.average)}
    return {name: value for name, value in values.items() if name not in there}


def _place(lane: int, moment: int, values: Values) -> int:
    """Give the milliseconds behind its moment at which a set of values is put: the same again for the same set."""
    names = zlib.crc32("\n".join(values).encode())
    with _lock:
        known = _taken.get((lane, moment))
        if known is None:
            known = []
            remember(_taken, (lane, moment), known)
        if names not in known:
            known.append(names)
        return min(known.index(names), MOST_PLACES)


def _by_lane(host_id: int, values: Values) -> dict[int, dict[str, float]]:
    """Sort the values of a moment into the lanes of their host."""
    lanes: dict[int, dict[str, float]] = {}
    for name in sorted(values):
        lanes.setdefault(lane_of(host_id, name), {})[name] = values[name]
    return lanes

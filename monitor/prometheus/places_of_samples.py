"""Puts remote-written values beside what the store has of the same moment: a lane has one sample a millisecond there.

Prometheus sends the values of one scrape in several requests, all with one time. The first takes that millisecond, the
next ones those behind it. Which one a set of values has is remembered; where the store has something else at it (another
process wrote), the store is asked what of the values is there already, and the rest moves on. So a request that comes
twice is kept once.
"""

import threading
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from adminset.errors import DomainError
from monitor.drawing import Columns
from monitor.metric_store import store
from monitor.prometheus.lanes import lane_of
from monitor.records import chunks, remember
from monitor.series import Points, Sample

# How far behind its own time a value may be put, in milliseconds.
MOST_PLACES = 200

HOUR = 3_600_000
# What is looked for in one question.
AT_ONCE = 500

Values = Mapping[str, float]
Moments = Mapping[int, Values]
_lock = threading.Lock()
# (lane, Unix milliseconds) -> the sets of names that this process put there, in order.
_taken: dict[tuple[int, int], list[int]] = {}


def forget() -> None:
    """Remember nothing of what was put where."""
    with _lock:
        _taken.clear()


def keep(batches: Mapping[int, Moments]) -> tuple[int, Counter[str]]:
    """Store values durably, each once.

    Args:
        batches: host id -> Unix milliseconds -> name -> value.

    Returns:
        how many values are in the store now, new or known; and how many are not kept, by the store's word for why.

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
    left_out: Counter[str] = Counter()
    while waiting:
        waiting = _moved_on(waiting, left_out)
    return values - left_out.total(), left_out


# (lane, Unix milliseconds, place behind them, values)
Waiting = tuple[int, int, int, Values]


def _moved_on(waiting: list[Waiting], left_out: Counter[str]) -> list[Waiting]:
    """Write; give what was not new and is not there either, one place further."""
    batches: dict[int, list[Sample]] = {}
    for lane, moment, place, values in waiting:
        sample = Sample((moment + place) / 1000, values)
        batches.setdefault(lane, []).append(sample)
    statuses = store().write_many(batches, left_out)
    told = {lane: iter(found) for lane, found in statuses.items()}
    repeated = [item for item in waiting if next(told[item[0]]) == "duplicate"]
    return [
        (lane, moment, _next(place), missing)
        for lane, moment, place, missing in _missing(repeated)
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


def _missing(repeated: list[Waiting]) -> Iterator[Waiting]:
    """Give what the store has not at its moment or a little behind it: for many lanes in one question each hour.

    One for each moment of a lane would take longer than Prometheus waits, and it would send all of it once more.
    """
    hours: defaultdict[int, list[Waiting]] = defaultdict(list)
    for item in repeated:
        hours[item[1] // HOUR].append(item)
    for items in hours.values():
        for some in chunks(items, AT_ONCE):
            known = _known(some)
            for lane, moment, place, values in some:
                points = known[lane].points
                missing = {
                    name: value
                    for name, value in values.items()
                    if name not in points or not _is_there(points[name], moment)
                }
                if missing:
                    yield lane, moment, place, missing


def _known(some: Sequence[Waiting]) -> dict[int, Columns]:
    """Ask what the store has of some values, between the first moment and the last; single samples, however many."""
    lanes = sorted({lane for lane, *_ in some})
    names = {name for *_, values in some for name in values}
    moments = [moment for _, moment, *_ in some]
    start, end = min(moments) / 1000, (max(moments) + MOST_PLACES + 1) / 1000
    return store().columns(lanes, names, start, end, HOUR)


def _is_there(points: Points, moment: int) -> bool:
    first, last = (moment - 0.5) / 1000, (moment + MOST_PLACES + 0.5) / 1000
    return bool(len(points.inside(first, last).times))


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

"""How many samples a host may have in an hour: whoever sends more often than anybody looks must not fill the store."""

import threading
from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from monitor import units
from monitor.packed import unpack_samples
from monitor.records import hour_key, hour_of, remember, unit_key
from monitor.series import Sample, Selection
from monitor.tiers import RAW

# The store is asked after this part of the limit, and then each time that another is through: other processes write, too.
STEPS = 8
NOTHING = Selection(())

HostHour = tuple[int, int]


class HourLimit:
    """Lets so many samples of a host-hour in; threads may share it.

    Args:
        most: says of a host how many.
    """

    def __init__(self, most: Callable[[int], int]) -> None:
        self._most = most
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Trust nothing that was remembered."""
        # How many there are, and at how many the store is asked again.
        self._counts: dict[HostHour, tuple[int, int]] = {}

    def too_many(
        self, db: Any, batches: Mapping[int, Sequence[Sample]]
    ) -> dict[int, set[int]]:
        """Give the milliseconds of new samples for which there is no room in their hours; the others are counted."""
        hours: defaultdict[HostHour, list[int]] = defaultdict(list)
        for host_id, samples in batches.items():
            for sample in samples:
                moment = sample.milliseconds
                hours[host_id, hour_of(moment / 1000)].append(moment)
        beyond: defaultdict[int, set[int]] = defaultdict(set)
        for (host_id, hour), moments in hours.items():
            room = self._taken(db, host_id, hour, len(moments))
            if room < len(moments):
                beyond[host_id].update(moments[room:])
        return beyond

    def _taken(self, db: Any, host_id: int, hour: int, wanted: int) -> int:
        """Give how many of some samples are let in, and count them."""
        most = self._most(host_id)
        with self._lock:
            count, ask_at = self._counts.get((host_id, hour), (0, most // STEPS))
        if ask_at < count + wanted and count < most:
            count = _stored(db, host_id, hour)
            ask_at = count + wanted + most // STEPS
        taken = max(min(wanted, most - count), 0)
        with self._lock:
            remember(self._counts, (host_id, hour), (count + taken, ask_at))
        return taken


def _stored(db: Any, host_id: int, hour: int) -> int:
    """Count the samples of an hour that are in the store."""
    found = db["chunks"].find({"b": hour_key(host_id, hour)}, {"t": 1})
    times = {moment for doc in found for moment in array("q", doc["t"])}
    for doc in units.fetch(db[RAW.table], [unit_key(host_id, hour)]):
        times.update(unpack_samples(doc["z"], NOTHING).times.tolist())
    return len(times)

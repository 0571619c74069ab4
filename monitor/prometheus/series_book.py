"""What this process remembers of remote-written series: their names in the store, whose they are, how many a host has."""

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

# More series than one process should hold in its head: then it starts anew.
MOST_SERIES = 200_000
BOOK_SECONDS = 86_400
# A host that was renamed, moved out of scope or deleted is noticed after so long.
PLACE_SECONDS = 15
MOST_PLACES = 50_000

Find = Callable[[Iterable[str]], Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Entry:
    """A known series: the place in its label that named the host, and its name in the store."""

    place: str
    name: str


@dataclass(slots=True)
class _Places:
    """Answers of the CMDB to one asker: place -> host id, 0 where there is none."""

    asked_at: float = 0.0
    hosts: dict[str, int] = field(default_factory=dict)


def key_of(asker: str, labels: Iterable[bytes]) -> bytes:
    """Give a short name for a series of an asker, from its labels as they came."""
    digest = hashlib.blake2b(asker.encode(), digest_size=16)
    for label in labels:
        digest.update(len(label).to_bytes(4, "big"))
        digest.update(label)
    return digest.digest()


class SeriesBook:
    """Threads may share it; a restart costs only that it is filled again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Start anew."""
        with self._lock:
            self._entries: dict[bytes, Entry] = {}
            self._names: dict[int, set[str]] = {}
            self._places: dict[str, _Places] = {}
            self._began = time.monotonic()

    def entry(self, key: bytes) -> Entry | None:
        """Give a series that was seen before."""
        return self._entries.get(key)

    def admit(self, key: bytes, entry: Entry, host_id: int, most: int) -> bool:
        """Note a new series of a host; False where the host has `most` already."""
        full = len(self._entries) >= MOST_SERIES
        if full or time.monotonic() - self._began > BOOK_SECONDS:
            self.forget()
        with self._lock:
            names = self._names.setdefault(host_id, set())
            if entry.name not in names and len(names) >= most:
                return False
            names.add(entry.name)
            self._entries[key] = entry
        return True

    def hosts(self, asker: str, places: Iterable[str], find: Find) -> dict[str, int]:
        """Give place -> host id, 0 where there is none; asked of the CMDB at most each PLACE_SECONDS."""
        known = self._places.get(asker)
        now = time.monotonic()
        if known is None or now - known.asked_at > PLACE_SECONDS:
            known = _Places(now)
            if len(self._places) > MOST_PLACES:
                self.forget()
            self._places[asker] = known
        wanted = set(places)
        if unknown := wanted - known.hosts.keys():
            if len(known.hosts) + len(unknown) > MOST_PLACES:
                known.hosts = {}
            found = find(unknown)
            known.hosts |= {place: found.get(place, 0) for place in unknown}
        return {place: known.hosts.get(place, 0) for place in wanted}

    def counts(self) -> Counter[int]:
        """Give host id -> series."""
        with self._lock:
            return Counter({host: len(names) for host, names in self._names.items()})


BOOK = SeriesBook()

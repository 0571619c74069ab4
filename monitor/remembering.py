"""What a process remembers of names of metrics: as much as they are together, whatever number of entries hold them."""

import threading
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")
# Ten thousand hosts with lists of names of their own; a name with its place takes about a hundred bytes.
NAMES_HELD = 1_000_000


class Held(Generic[Key, Value]):
    """A cache that holds so many names together; the oldest entries go first. Threads may share it.

    Args:
        most: names.
    """

    def __init__(self, most: int = NAMES_HELD) -> None:
        self._most, self.names = most, 0
        self._kept: dict[Key, tuple[Value, int]] = {}
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """Give what is remembered, None for nothing."""
        found = self._kept.get(key)
        return None if found is None else found[0]

    def put(self, key: Key, value: Value, names: int) -> None:
        """Remember something that holds so many names."""
        with self._lock:
            self._drop(key)
            self._kept[key] = (value, names + 1)
            self.names += names + 1
            while self.names > self._most:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self.names -= found[1]

    def __len__(self) -> int:
        return len(self._kept)

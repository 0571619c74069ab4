"""One look through recordings at a time for each user: it takes a core for two seconds, in the process that echoes what people type."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Turns:
    """Who is looking, in this process."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._looking: set[int] = set()

    @contextmanager
    def of(self, user_id: int) -> Iterator[bool]:
        """Take the turn of a user; yields False where the user's look before has not ended."""
        with self._lock:
            free = user_id not in self._looking
            self._looking.add(user_id)
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    self._looking.discard(user_id)


TURNS = Turns()

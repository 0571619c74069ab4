"""What this process remembers of agents for some seconds: who proved itself, and who has spoken."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

# Looked after by cmdb/services/standing.py, which sees within 2 seconds what changed.
REMEMBER_SECONDS = 300.0
REMEMBER_AGENTS = 50_000
TOUCH_SECONDS = 30.0


class Recent:
    """Keeps a bounded number of things for some seconds, in this process."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._lock = threading.Lock()
        self._kept: OrderedDict[Any, tuple[float, Any]] = OrderedDict()

    def get(self, key: Any) -> Any:
        """Give what is kept under a key, None when there is nothing or it is too old."""
        until, value = self._kept.get(key, (0.0, None))
        return value if time.monotonic() < until else None

    def put(self, key: Any, value: Any) -> None:
        """Keep a value; the oldest one makes room."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (time.monotonic() + self._seconds, value)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def drop(self, is_wrong: Callable[[Any], bool]) -> None:
        """Forget the values of which `is_wrong` says so."""
        with self._lock:
            kept = [(key, value) for key, (_, value) in self._kept.items()]
            for key, value in kept:
                if is_wrong(value):
                    self._kept.pop(key, None)

    def forget(self, key: Any) -> None:
        """Forget what is kept under a key, if anything is."""
        with self._lock:
            self._kept.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()


proved = Recent(REMEMBER_SECONDS, REMEMBER_AGENTS)
touched = Recent(TOUCH_SECONDS, REMEMBER_AGENTS)


def forget_recent() -> None:
    """Forget what this process remembers of agents; other processes do so within 5 seconds."""
    proved.clear()
    touched.clear()

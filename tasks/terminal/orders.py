"""Orders to terminals from anywhere in the portal: over Redis to whichever process holds the shell."""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

from redis.exceptions import RedisError

from adminset import redis_door

CHANNEL = "terminal:"
AGAIN_SECONDS = 1.0
Do = Literal["kill", "lock", "unlock", "invite", "say"]
logger = logging.getLogger(__name__)


def send(key: str, do: Do, by: str, **more: Any) -> None:
    """Tell the process that holds a session's shell to do something.

    What has to happen even where Redis is away stands in the session's row as well (control.py): the process looks there
    every few seconds.

    Args:
        key: of the session.
        by: the name of who orders it.
    """
    redis_door.publish(CHANNEL + key, json.dumps({"do": do, "by": by, **more}))


class Ear(threading.Thread):
    """Hears the orders to the terminals of this process, and listens again where Redis was away."""

    def __init__(
        self, until: Callable[[], bool], obey: Callable[[str, dict[str, Any]], None]
    ) -> None:
        super().__init__(name="terminal-orders", daemon=True)
        self._until = until
        self._obey = obey

    def run(self) -> None:
        """Listen for as long as there are terminals."""
        while not self._until():
            try:
                redis_door.listen(f"{CHANNEL}*", self._until, self._hear)
            except (RedisError, OSError):
                time.sleep(AGAIN_SECONDS)

    def _hear(self, channel: str, text: str) -> None:
        if self._until():
            # Somebody else listens by now: no order is followed twice.
            return
        try:
            order = json.loads(text)
            self._obey(channel.removeprefix(CHANNEL), order)
        except Exception:
            logger.exception("an order to a terminal could not be followed")

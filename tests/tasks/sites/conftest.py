"""What tests of relays begin with: a fresh Redis, a worker's end, a server behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adminset import redis_door
from tasks.sites.relay import BOARD
from tasks.sites.relay_station import Station
from tests.tasks.sites.relay_things import Listener, a_station, wait_for


@pytest.fixture
def fresh_relays(settings: Any) -> Iterator[None]:
    """Redis without boxes before, and nothing left open afterwards."""
    redis_door.client().flushdb()
    settings.RELAY_LEASE_SECONDS = 3
    yield
    assert len(BOARD) == 0
    # The next test loses its box.
    wait_for(lambda: BOARD._thread is None)


@pytest.fixture
def station() -> Iterator[Station]:
    """A worker's end, in this process."""
    with a_station() as made:
        yield made


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A server that a relay may lead to."""
    made = Listener()
    yield made
    made.server.close()

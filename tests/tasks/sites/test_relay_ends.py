"""The ends of connections that a site's worker passes on: either end killed or stopped, and a Redis that lost everything."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from adminset import redis_door
from tasks.sites import relay_life, relay_wire
from tasks.sites.relay_station import Station
from tests.tasks.sites import relay_things as things
from tests.tasks.sites.relay_things import (
    Listener,
    a_process,
    a_station,
    read_all,
    wait_for,
)

pytestmark = pytest.mark.usefixtures("fresh_relays")


def test_a_killed_worker_is_noticed_and_its_connections_to_hosts_are_closed(
    listener: Listener,
) -> None:
    with a_process(things.STATION) as worker:
        near, far = listener.dialled()
        worker.kill()
        assert far.recv(1) == b""
        near.settimeout(3 + 3)
        assert near.recv(1) == b""
        with pytest.raises(BrokenPipeError, match="is gone"):
            near.send(b"x")
        near.close()


def test_a_killed_portal_is_noticed_and_the_hosts_connection_closed(
    station: Station, listener: Listener
) -> None:
    with a_process(things.DIALLER, port=listener.port) as portal:
        far = listener.accept()
        far.settimeout(0.2)
        with pytest.raises(TimeoutError):
            far.recv(1)
        portal.kill()
        far.settimeout(3 + 3)
        assert far.recv(1) == b""
    wait_for(lambda: not station.links)


def test_a_worker_that_ends_closes_all(listener: Listener) -> None:
    with a_station():
        near, far = listener.dialled()
    assert far.recv(1) == b""
    assert near.recv(1) == b""
    near.close()


def test_redis_that_loses_everything_ends_all_and_the_next_one_works(
    station: Station, listener: Listener
) -> None:
    near, far = listener.dialled()
    redis_door.client().flushdb()
    assert near.recv(1) == b""
    assert far.recv(1) == b""
    near.close()
    wait_for(lambda: relay_wire.has_station(things.QUEUE))
    near, far = listener.dialled()
    near.send(b"again")
    assert read_all(far, 5) == b"again"
    near.close()


def a_worker(*queues: str) -> Any:
    """Make what Celery's signal brings of a worker for some queues."""
    served = SimpleNamespace(consume_from=dict.fromkeys(queues))
    return SimpleNamespace(app=SimpleNamespace(amqp=SimpleNamespace(queues=served)))


def test_it_lives_with_a_worker_of_a_site_and_with_no_other(
    listener: Listener,
) -> None:
    relay_life.begin(a_worker("runs", "adminset"))
    assert not relay_life._stations
    relay_life.begin(a_worker("runs", "idc.bj"))
    (station,) = relay_life._stations
    assert station.queues == ["idc.bj"]
    near, far = listener.dialled()
    relay_life.refuse()
    # What goes on goes on, and the sign that orders are taken goes by itself.
    wait_for(lambda: not relay_wire.has_station("idc.bj"))
    near.send(b"still")
    assert read_all(far, 5) == b"still"
    relay_life.end()
    assert not station.is_alive()
    assert far.recv(1) == b""
    near.close()

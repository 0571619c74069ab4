"""Connections that a site's worker passes on: real Redis, real sockets, a real station; windows, ends that die, orders that are none."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from adminset import redis_boxes
from tasks.sites import relay, relay_wire
from tasks.sites.relay import BOARD, dial_relay
from tasks.sites.relay_station import Station
from tasks.ssh.ways import Patience
from tasks.targets import HostRefusedError
from tests.tasks.sites import relay_things as things
from tests.tasks.sites.relay_things import (
    PATIENCE,
    Listener,
    a_station,
    at,
    read_all,
    send_all,
    send_until_stuck,
    wait_for,
)

pytestmark = pytest.mark.usefixtures("fresh_relays")


def test_bytes_go_both_ways_and_the_end_of_either_side_is_that_of_the_other(
    station: Station, listener: Listener
) -> None:
    near, far = listener.dialled()
    send_all(near, b"to the host")
    assert read_all(far, 11) == b"to the host"
    far.sendall(b"to the portal")
    assert read_all(near, 13) == b"to the portal"
    far.sendall(b"last words")
    far.close()
    assert read_all(near, 100) == b"last words"
    near.close()
    near, far = listener.dialled()
    near.send(b"bye")
    near.close()
    assert read_all(far, 100) == b"bye"
    wait_for(lambda: not station.links)


def test_much_goes_both_ways_at_once_and_arrives_as_it_was(
    station: Station, listener: Listener
) -> None:
    near, far = listener.dialled()
    data = bytes(range(256)) * 40_000
    with ThreadPoolExecutor(4) as threads:
        threads.submit(send_all, near, data)
        threads.submit(far.sendall, data)
        came = threads.submit(read_all, near, len(data))
        went = threads.submit(read_all, far, len(data))
        assert came.result() == data
        assert went.result() == data
    near.close()


def in_redis(box: str) -> int:
    pieces = redis_boxes.client().xrange(box)
    return sum(len(fields[redis_boxes.FIELD]) for _place, fields in pieces)


def test_neither_side_holds_more_than_its_window(
    station: Station, listener: Listener, settings
) -> None:
    settings.RELAY_BYTES = 64 * 1024
    near, far = listener.dialled()
    # Nobody reads at the portal: the host has to wait.
    sent = send_until_stuck(far)
    assert len(near._came) + in_redis(BOARD.box) <= 64 * 1024 + 100
    link = next(iter(station.links.values()))
    assert link._credit == 0
    assert read_all(near, sent) == bytes(sent)
    # And the other way: nobody reads at the host.
    sent = send_until_stuck(near)
    assert sum(map(len, link._waiting._queue)) <= 64 * 1024
    assert read_all(far, sent) == bytes(sent)
    near.close()


def test_one_that_is_not_read_stalls_no_other(
    station: Station, listener: Listener
) -> None:
    stuck, flood = listener.dialled()
    send_until_stuck(flood)
    near, far = listener.dialled()
    far.sendall(b"here")
    assert read_all(near, 4) == b"here"
    stuck.close()
    near.close()


def test_no_worker_and_a_worker_of_another_site_are_said(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "TAKE_SECONDS", 0.5)
    with (
        a_station("idc.sh") as other,
        pytest.raises(HostRefusedError) as refused,
    ):
        dial_relay(at(listener.port), PATIENCE)
    words = "No worker of the site with the queue idc.bj answered within 0.5 s"
    assert str(refused.value).startswith(words)
    assert refused.value.limit == "connect"
    assert not other.links
    # The order is not done later.
    assert redis_boxes.client().llen(relay_wire.orders_of("idc.bj")) == 0


def test_a_host_that_does_not_answer_has_the_usual_sentence(
    station: Station, listener: Listener
) -> None:
    listener.server.close()
    with pytest.raises(HostRefusedError, match=r"echo .* refuses the connection"):
        dial_relay(at(listener.port), PATIENCE)
    wait_for(lambda: not station.links)


def test_who_gives_up_does_not_wait(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_up = threading.Event()
    threading.Timer(0.3, given_up.set).start()
    with pytest.raises(HostRefusedError, match="Cancelled"):
        dial_relay(at(listener.port), Patience(5, given_up.is_set))


def test_only_what_the_portal_ordered_is_opened_and_each_order_once(
    station: Station, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    listener.server.settimeout(0.3)
    good = things.an_order(listener.port)
    sealed = good.sealed()
    foreign = things.an_order(listener.port, queue="idc.sh").sealed()
    old = things.an_order(listener.port, until=1.0).sealed()
    moved = relay_wire.encrypt("{}", "cmdb.credential.password")
    for text in ('{"address": "127.0.0.1"}', sealed[:-8], moved, foreign, old):
        things.order(text)
    with pytest.raises(TimeoutError):
        listener.accept()
    things.order(sealed)
    listener.accept().close()
    things.order(sealed)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_a_worker_has_so_many_and_takes_the_next_when_one_ends(
    station: Station,
    listener: Listener,
    settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.RELAY_MOST = 2
    first, far_of_first = listener.dialled()
    second, far_of_second = listener.dialled()
    monkeypatch.setattr(relay, "TAKE_SECONDS", 2.5)
    with pytest.raises(HostRefusedError, match="ADMINSET_RELAY_MOST"):
        dial_relay(at(listener.port), PATIENCE)
    with a_station() as other:
        third, far_of_third = listener.dialled()
        assert len(other.links) == 1
        third.close()
        assert far_of_third.recv(1) == b""
    first.close()
    assert far_of_first.recv(1) == b""
    third, _far = listener.dialled()
    second.close()
    assert far_of_second.recv(1) == b""
    third.close()


def test_no_secret_lies_in_redis(station: Station, listener: Listener) -> None:
    order = things.an_order(listener.port)
    assert "127.0.0.1" not in order.sealed()
    assert order.key not in order.sealed()
    assert relay_wire.Order.opened(order.sealed()) == order

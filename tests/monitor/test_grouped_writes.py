"""Many wait for one write: together when they can, apart when one of them is bad, none of them for ever."""

import threading
from collections.abc import Sequence
from concurrent.futures import Future

import pytest

from adminset.errors import Unavailable
from monitor.agent_load import Load
from monitor.grouped_writes import Group, GroupDiedError

SECONDS = 10


class Work:
    """Doubles numbers, group by group; the first group waits until it is let go."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.go = threading.Event()
        self.began = threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        self.began.set()
        assert self.go.wait(SECONDS)
        if 13 in items:
            raise ValueError("13")
        return [2 * item for item in items]


def results(futures: list[Future[int]]) -> list[object]:
    return [each.exception(SECONDS) or each.result(SECONDS) for each in futures]


def test_what_comes_while_a_write_goes_on_makes_the_next_one() -> None:
    work = Work()
    group: Group[int, int] = Group("test", work, threads=1, window=0)
    first = group.submit(1)
    assert work.began.wait(SECONDS)
    others = [group.submit(n) for n in range(20, 70)]
    work.go.set()
    assert results([first, *others]) == [2, *range(40, 140, 2)]
    assert work.groups == [[1], list(range(20, 70))]


def test_a_group_is_no_heavier_than_it_may_be() -> None:
    work = Work()
    group: Group[int, int] = Group("test", work, threads=1, window=0, most=10)
    first = group.submit(0)
    assert work.began.wait(SECONDS)
    futures = [group.submit(n, weight=4) for n in range(1, 6)]
    huge = group.submit(9, weight=1000)
    work.go.set()
    results([first, *futures, huge])
    assert work.groups == [[0], [1, 2], [3, 4], [5], [9]]


def test_a_bad_one_takes_no_other_with_it() -> None:
    work = Work()
    group: Group[int, int] = Group("test", work, threads=1, window=0)
    first = group.submit(0)
    assert work.began.wait(SECONDS)
    futures = [group.submit(n) for n in range(10, 20)]
    work.go.set()
    given = results([first, *futures])
    bad = [each for each in given if isinstance(each, Exception)]
    assert len(bad) == 1
    assert given[:4] == [0, 20, 22, 24]
    assert given[5:] == [28, 30, 32, 34, 36, 38]


def test_a_store_that_is_away_is_away_for_all_and_asked_once() -> None:
    asked = []

    def away(items: Sequence[int]) -> list[int]:
        asked.append(len(items))
        raise ConnectionError

    group: Group[int, int] = Group(
        "test", away, threads=1, window=0.05, spares=lambda _error: False
    )
    given = results([group.submit(n) for n in range(20)])
    assert all(isinstance(each, ConnectionError) for each in given)
    assert sum(asked) == 20
    assert len(asked) < 20


def test_who_has_gone_away_is_left_out() -> None:
    work = Work()
    group: Group[int, int] = Group("test", work, threads=1, window=0)
    first = group.submit(0)
    assert work.began.wait(SECONDS)
    gone, stays = group.submit(1), group.submit(2)
    assert gone.cancel()
    work.go.set()
    assert results([first, stays]) == [0, 4]
    assert work.groups == [[0], [2]]


def test_many_threads_get_each_their_own() -> None:
    group: Group[int, int] = Group(
        "test", lambda items: [2 * item for item in items], threads=3, window=0.001
    )
    found: dict[int, int] = {}

    def ask(start: int) -> None:
        for n in range(start, start + 200):
            found[n] = group.submit(n).result(SECONDS)

    threads = [threading.Thread(target=ask, args=(n * 200,)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(SECONDS)
    assert found == {n: 2 * n for n in range(1600)}


def test_more_than_may_be_on_its_way_is_turned_away_and_let_in_again_later() -> None:
    load = Load(most_requests=2, most_bytes=100)
    load.enter()
    load.enter()
    with pytest.raises(Unavailable) as caught:
        load.enter()
    assert caught.value.retry_after
    load.leave(0)
    load.enter()
    load.hold(60)
    with pytest.raises(Unavailable):
        load.hold(60)
    load.leave(120)
    load.leave(0)
    assert (load.requests, load.bytes, load.refused) == (0, 0, 2)


def test_a_work_that_gives_too_little_leaves_nobody_waiting() -> None:
    group: Group[int, int] = Group("test", lambda items: [1] * (len(items) - 1))
    with pytest.raises(ValueError, match="zip"):
        group.submit(1).result(SECONDS)


def test_a_thread_that_is_ended_leaves_nobody_waiting_and_another_takes_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _args: None)

    def work(items: Sequence[int]) -> list[int]:
        if items == [1]:
            raise SystemExit
        return list(items)

    group: Group[int, int] = Group("test", work, threads=1)
    with pytest.raises(GroupDiedError):
        group.submit(1).result(SECONDS)
    assert group.submit(2).result(SECONDS) == 2

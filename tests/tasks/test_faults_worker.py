"""Faults of docs/faults.md in short: the worker, its child, the web, and two that look for the lost at the same moment."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.farm import SshFarm
from tests.tasks.doors import belonging, remaining
from tests.tasks.portal_things import (
    FORGET_MESSAGES,
    REAP,
    Driver,
    Portal,
    kill,
    wait_until,
)

pytestmark = pytest.mark.timeout(300)
HOSTS, AT_ONCE = 6, 2
# The lease of a worker that is gone is long over by then.
LOST_SECONDS = 90


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    with SshFarm(HOSTS, tmp_path_factory.mktemp("faults")) as made:
        yield made


@pytest.fixture
def portal(tmp_path: Path, farm: SshFarm) -> Iterator[Portal]:
    made = Portal(tmp_path, farm)
    yield made
    made.stop()


def in_hand(portal: Portal, name: str) -> int:
    """Start a worker and a run; come back when so many hosts are in its hands."""
    portal.start_worker(name)
    pk = portal.launch(command=portal.counting(), forks=AT_ONCE)
    wait_until(lambda: len(portal.counted()) == AT_ONCE)
    return pk


def assert_resumed_once(portal: Portal, pk: int) -> None:
    """Nothing ran twice, the rest was resumed, what is unknown is said, the output is whole."""
    told = portal.until(pk, "failed", "ok", "lost", reaping=True)
    by_status = sorted(told["hosts"].values())
    assert by_status == ["ok"] * (HOSTS - AT_ONCE) + ["unknown"] * AT_ONCE
    assert told["explanation"] == "6 hosts: 4 ok, 2 unknown."
    assert set(portal.counted().values()) == {1}
    assert len(portal.counted()) == HOSTS
    for host, status in told["hosts"].items():
        whole = "begin\nend\n" if status == "ok" else "begin\n"
        assert told["output"][host] == whole
    assert told["parts"][0][2] == 1


def test_a_killed_worker_is_resumed_by_another_and_nothing_runs_twice(
    portal: Portal,
) -> None:
    pk = in_hand(portal, "first@test")
    kill(portal.workers[0])
    portal.gate.touch()
    portal.start_worker("second@test")
    assert_resumed_once(portal, pk)
    assert portal.tell(pk)["parts"][0][1] == "second@test"


def test_the_killed_child_of_a_worker_is_resumed_by_the_same_worker(
    portal: Portal,
) -> None:
    pk = in_hand(portal, "only@test")
    for child in psutil.Process(portal.workers[0].pid).children():
        os.kill(child.pid, signal.SIGKILL)
    portal.gate.touch()
    assert_resumed_once(portal, pk)


def test_a_worker_killed_under_ansible_leaves_no_process_behind(portal: Portal) -> None:
    portal.start_worker("first@test")
    pk = portal.launch(kind="module", module="shell", arguments=portal.counting())
    wait_until(lambda: len(portal.counted()) == HOSTS)
    kill(portal.workers[0])
    assert remaining(str(portal.gate), 30) == []
    wait_until(lambda: not belonging(portal.folder))
    portal.start_worker("second@test")
    told = portal.until(pk, "failed", "ok", "lost", reaping=True)
    assert told["explanation"] == "6 hosts: 6 unknown."
    assert set(portal.counted().values()) == {1}
    assert not list((portal.folder / "runs" / "private").glob("*/run-*"))


def test_a_killed_web_leaves_its_runs_to_the_workers(portal: Portal) -> None:
    portal.gate.touch()
    pk = portal.launch(command=portal.counting())
    portal.driver.process.kill()
    portal.driver.process.wait()
    portal.driver = Driver(portal.env)
    portal.start_worker("first@test")
    assert portal.until(pk, "ok", "failed")["status"] == "ok"
    assert set(portal.counted().values()) == {1}


def test_two_that_look_for_the_lost_at_once_find_them_once(portal: Portal) -> None:
    pk = in_hand(portal, "first@test")
    kill(portal.workers[0])
    portal.gate.touch()
    other = Driver(portal.env)
    try:
        until = time.monotonic() + LOST_SECONDS
        while time.monotonic() < until:
            for driver in (portal.driver, other):
                driver.ask(REAP)
            for driver in (portal.driver, other):
                driver.answer()
            if portal.tell(pk)["parts"][0][2]:
                break
    finally:
        other.stop()
    assert portal.tell(pk)["parts"][0][2] == 1
    portal.do(FORGET_MESSAGES)
    portal.start_worker("second@test")
    assert_resumed_once(portal, pk)

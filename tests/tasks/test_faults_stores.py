"""Faults of docs/faults.md in short: Redis is killed and forgets, the database does not answer for a while."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm import SshFarm
from tests.tasks.portal_things import FORGET_MESSAGES, REAP, Portal, wait_until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def portal(tmp_path: Path, three_servers: SshFarm) -> Iterator[Portal]:
    made = Portal(tmp_path, three_servers)
    yield made
    made.stop()


def test_runs_that_wait_survive_a_redis_that_forgets(portal: Portal) -> None:
    portal.gate.touch()
    waiting = portal.launch(command=portal.counting())
    portal.kill_redis()
    asked_without = portal.launch(command="true")
    assert (
        "dispatcher (Redis) cannot be reached"
        in portal.tell(asked_without)["explanation"]
    )
    portal.start_redis()
    portal.start_worker("first@test")
    portal.do(FORGET_MESSAGES)
    assert portal.until(waiting, "ok", "failed", reaping=True)["status"] == "ok"
    assert portal.until(asked_without, "ok", "failed", reaping=True)["status"] == "ok"
    assert set(portal.counted().values()) == {1}


def test_a_run_goes_on_while_redis_is_away(portal: Portal) -> None:
    portal.start_worker("first@test")
    pk = portal.launch(command=portal.counting(), forks=1)
    wait_until(lambda: len(portal.counted()) == 1)
    portal.kill_redis()
    portal.gate.touch()
    told = portal.until(pk, "ok", "failed")
    assert told["explanation"] == "3 hosts: 3 ok."
    assert set(told["output"].values()) == {"begin\nend\n"}
    assert set(portal.counted().values()) == {1}


def test_a_redis_that_comes_back_with_its_data_makes_nothing_run_twice(
    portal: Portal,
) -> None:
    portal.start_worker("first@test")
    pk = portal.launch(command=portal.counting(), forks=1)
    wait_until(lambda: len(portal.counted()) == 1)
    portal.kill_redis(keep=True)
    asked_without = portal.launch(command="true")
    portal.start_redis()
    # The message that is on record for this run is given out again.
    portal.start_worker("second@test")
    portal.gate.touch()
    told = portal.until(pk, "ok", "failed", reaping=True)
    assert told["explanation"] == "3 hosts: 3 ok."
    assert set(told["output"].values()) == {"begin\nend\n"}
    portal.do(FORGET_MESSAGES)
    assert portal.until(asked_without, "ok", "failed", reaping=True)["status"] == "ok"
    assert set(portal.counted().values()) == {1}


def test_a_run_survives_a_database_that_does_not_answer_for_longer_than_its_lease(
    portal: Portal,
) -> None:
    portal.start_worker("first@test")
    pk = portal.launch(command=portal.counting(), forks=2)
    wait_until(lambda: len(portal.counted()) == 2)
    portal.do(REAP)
    keeper = sqlite3.connect(portal.folder / "db.sqlite3", timeout=30)
    keeper.isolation_level = None
    keeper.execute("BEGIN EXCLUSIVE")
    portal.gate.touch()
    portal.driver.ask("import time; time.sleep(8)")
    portal.driver.answer()
    assert len(portal.counted()) == 2
    keeper.execute("ROLLBACK")
    keeper.close()
    told = portal.until(pk, "ok", "failed", "lost")
    assert told["explanation"] == "3 hosts: 3 ok."
    assert told["parts"][0][2] == 0
    assert set(told["output"].values()) == {"begin\nend\n"}
    assert set(portal.counted().values()) == {1}

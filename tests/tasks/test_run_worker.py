"""A real Celery worker on real Redis and a database file does a run, one part of it for each message."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm import SshFarm
from tests.tasks.portal_things import Portal


@pytest.fixture
def portal(tmp_path: Path, three_servers: SshFarm) -> Iterator[Portal]:
    made = Portal(tmp_path, three_servers)
    yield made
    made.stop()


@pytest.mark.timeout(120)
def test_a_worker_does_a_run_in_batches(portal: Portal) -> None:
    portal.start_worker("first@test")
    portal.gate.touch()
    pk = portal.launch(command=portal.counting(), batches="1 2")
    told = portal.until(pk, "ok", "failed", "lost")
    assert (told["status"], told["explanation"]) == ("ok", "3 hosts: 3 ok.")
    assert told["parts"] == [["done", "first@test", 0]]
    assert set(told["output"].values()) == {"begin\nend\n"}
    assert set(portal.counted().values()) == {1}

"""A fault of docs/faults.md in short: the clock is killed, and what it should have begun meanwhile is begun once by the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.farm import SshFarm
from tests.tasks.fault_parts import WholePortal
from tests.tasks.portal_things import kill, wait_until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def portal(tmp_path: Path, three_servers: SshFarm) -> Iterator[WholePortal]:
    made = WholePortal(tmp_path, three_servers)
    yield made
    made.stop()


def test_what_is_planned_while_beat_is_dead_runs_once_when_it_is_back(
    portal: WholePortal,
) -> None:
    portal.start_worker("first@test")
    portal.start_beat()
    before = portal.schedule(1, command=portal.counting())
    wait_until(lambda: len(portal.counted()) == 3)
    assert portal.beat is not None
    kill(portal.beat)
    meanwhile = portal.schedule(0.1, command="true")
    portal.gate.touch()
    (going,) = portal.runs_of(before)
    told = portal.until(going, "ok", "failed", "lost")
    assert told["explanation"] == "3 hosts: 3 ok."
    assert set(told["output"].values()) == {"begin\nend\n"}
    assert portal.runs_of(meanwhile) == []
    portal.start_beat()
    wait_until(lambda: portal.runs_of(meanwhile))
    (made_up,) = portal.runs_of(meanwhile)
    assert portal.until(made_up, "ok", "failed")["status"] == "ok"
    assert portal.runs_of(before) == [going]
    assert set(portal.counted().values()) == {1}

"""Hosts behind a jump host: both keys are pinned, places at the jump are counted, a dead jump is left alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adminset import redis_door
from tasks.ssh import breakers, jumps
from tasks.ssh.pool import POOL
from tasks.targets import HostRefusedError, Target
from tests.farm import SshFarm, free_port
from tests.tasks.doors import run, wait_until


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    redis_door.client().delete(breakers.SHARED)
    jumps._forget()
    yield
    POOL.close()


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[SshFarm]:
    """The first of the three is the jump host."""
    with SshFarm(3, tmp_path / "farm", extra="LogLevel VERBOSE") as made:
        yield made


@pytest.fixture
def behind(farm: SshFarm) -> list[Target]:
    jump = farm.target(farm.hosts[0])
    return [farm.target(host, jump=jump) for host in farm.hosts[1:]]


def sign_ins(farm: SshFarm, number: int = 0) -> int:
    return farm.hosts[number].log().count("Accepted publickey")


def taken() -> list[int]:
    return [gateway.taken for gateway in list(jumps._gateways.values())]


def test_hosts_behind_a_jump_are_reached_through_one_connection_to_it(
    farm: SshFarm, behind: list[Target]
) -> None:
    with ThreadPoolExecutor(2) as threads:
        ends = list(threads.map(lambda one: run(one, "echo $SSH_CONNECTION"), behind))
    assert [result.status for result, _ in ends] == ["ok", "ok"], ends
    again, _ = run(behind[0], "exit 4")
    assert again.exit_code == 4
    assert [sign_ins(farm, number) for number in range(3)] == [1, 1, 1]


def test_both_keys_count(farm: SshFarm, behind: list[Target]) -> None:
    jump = behind[0].jump
    assert jump is not None
    wrong = farm.hosts[2].host_key
    result, _ = run(replace(behind[0], host_key=wrong), "touch /tmp/never")
    assert result.status == "unreachable"
    assert f"The key of {behind[0].label} changed" in result.explanation
    result, _ = run(replace(behind[0], jump=replace(jump, host_key=wrong)), "true")
    assert result.status == "unreachable"
    assert f"The key of {jump.label} changed" in result.explanation
    result, _ = run(replace(behind[0], jump=replace(jump, host_key=None)), "true")
    assert f"The key of {jump.label} is not accepted yet" in result.explanation
    stranger = farm.login(private_key=None, password="wrong")
    result, _ = run(replace(behind[0], jump=replace(jump, login=stranger)), "true")
    assert f"{jump.label} refused the sign-in" in result.explanation


def test_a_host_that_the_jump_does_not_reach_has_its_sentence(
    behind: list[Target],
) -> None:
    gone = replace(behind[0], port=free_port("127.0.0.1"))
    for _ in range(3):
        result, _ = run(gone, "true")
        assert result.status == "unreachable"
        assert result.explanation.startswith(
            f"{gone.label} cannot be reached from the jump"
        )
    # It is not the jump host's fault.
    assert run(behind[0], "true")[0].status == "ok"


def test_a_jump_that_forwards_nothing_says_what_to_allow(tmp_path: Path) -> None:
    with SshFarm(2, tmp_path / "farm", extra="AllowTcpForwarding no") as farm:
        jump = farm.target(farm.hosts[0])
        result, _ = run(farm.target(farm.hosts[1], jump=jump), "true")
    assert result.status == "unreachable"
    assert "AllowTcpForwarding" in result.explanation


def test_so_many_channels_go_through_a_jump_at_once(
    farm: SshFarm, behind: list[Target], settings: Any
) -> None:
    settings.SSH_JUMP_MOST = 2
    most = 0

    def look() -> bool:
        nonlocal most
        most = max([most, *taken()])
        return False

    with ThreadPoolExecutor(6) as threads:
        ends = threads.map(
            lambda one: run(one, "sleep 0.2", cancelled=look),
            [*behind, *behind, *behind],
        )
        assert [result.status for result, _ in ends] == ["ok"] * 6
    assert most == 2
    assert len(taken()) == 1
    POOL.close()
    # A connection's own thread may be the one that gives the place back.
    wait_until(lambda: taken() == [], 20)


def test_one_who_waits_for_a_place_can_be_cancelled(
    behind: list[Target], settings: Any
) -> None:
    settings.SSH_JUMP_MOST = 1
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(run, behind[0], "sleep 2")
        wait_until(lambda: taken() == [1])
        asked = iter([False, True])
        result, _ = run(behind[1], "true", cancelled=lambda: next(asked, True))
        assert result.status == "cancelled"
        assert "waited for a place at the jump host" in result.explanation
        assert first.result()[0].status == "ok"


def test_a_dead_jump_is_left_alone_and_tried_again_after_a_while(
    farm: SshFarm, behind: list[Target], settings: Any
) -> None:
    settings.SSH_BREAKER_FAILURES = 3
    settings.SSH_BREAKER_SECONDS = 2
    jump = behind[0].jump
    assert jump is not None
    farm.halt(farm.hosts[0])
    for _ in range(3):
        result, _ = run(behind[0], "true")
        assert f"{jump.label} refuses the connection" in result.explanation
    farm.restart(farm.hosts[0])
    result, _ = run(behind[1], "true")
    assert result.status == "unreachable"
    assert result.explanation.startswith(
        f"The jump host {jump.label} could not be reached 3 times in a row"
    )
    assert sign_ins(farm) == 0
    (state,) = breakers.breakers()
    assert (state.address, state.port, state.user) == (
        jump.address,
        jump.port,
        farm.user,
    )
    assert "refuses the connection" in state.words
    wait_until(lambda: not breakers.breakers(), 5)
    time.sleep(0.2)
    assert run(behind[1], "true")[0].status == "ok"
    assert run(behind[0], "true")[0].status == "ok"


def test_one_attempt_counts_once_however_many_hosts_wait_for_it(
    behind: list[Target], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SSH_BREAKER_FAILURES = 2

    def refuse(*_: object) -> None:
        wait_until(lambda: taken() == [6])
        # The last of them is on its way from its place to the wait for this attempt.
        time.sleep(0.3)
        raise HostRefusedError("it refuses the connection.")

    monkeypatch.setattr(jumps, "connect", refuse)
    with ThreadPoolExecutor(6) as threads:
        ends = list(threads.map(lambda one: run(one, "true"), behind * 3))
    assert {result.explanation for result, _ in ends} == {
        "The jump host cannot be passed: it refuses the connection."
    }
    assert breakers.breakers() == []


def test_no_login_of_a_jump_host_stays_when_nobody_needs_it(
    farm: SshFarm, behind: list[Target]
) -> None:
    assert run(behind[0], "true")[0].status == "ok"
    POOL.close()
    # A connection that is hung up tells its gateway from a thread of its own.
    wait_until(lambda: not jumps._gateways, 5)
    assert jumps._gateways == jumps._breakers == {}
    farm.halt(farm.hosts[0])
    assert run(behind[0], "true")[0].status == "unreachable"
    assert jumps._gateways == {}
    (kept,) = jumps._breakers.values()
    assert kept.failing
    assert kept._jump.login.secrets() == []


def test_a_probe_that_fails_leaves_the_jump_alone_again(
    farm: SshFarm, behind: list[Target], settings: Any
) -> None:
    settings.SSH_BREAKER_FAILURES = 2
    settings.SSH_BREAKER_SECONDS = 1
    farm.halt(farm.hosts[0])
    said = []
    for _ in range(3):
        said.append(run(behind[0], "true")[0].explanation)
    wait_until(lambda: not breakers.breakers(), 5)
    time.sleep(0.1)
    said += [run(behind[0], "true")[0].explanation for _ in range(2)]
    left_alone = ["left alone" in words for words in said]
    assert left_alone == [False, False, True, False, True]


def test_the_processes_behind_a_jump_end_with_a_cancel(behind: list[Target]) -> None:
    mark = str(time.monotonic_ns())
    asked = iter([False, False, False])
    result, _ = run(behind[0], f"sleep 300.{mark}", cancelled=lambda: next(asked, True))
    assert result.status == "cancelled"
    assert "Its processes there have ended." in result.explanation

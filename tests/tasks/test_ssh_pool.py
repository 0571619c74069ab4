"""Connections are used again: one sign-in for two runs, never for another login or key, never for long, never by a child."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.ssh import pool
from tasks.targets import Target
from tests.farm import SshFarm, make_key
from tests.tasks.doors import run, wait_until


@pytest.fixture(autouse=True)
def empty_pool() -> Iterator[None]:
    pool.POOL.close()
    yield
    pool.POOL.close()


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[SshFarm]:
    kinds = ("ed25519", "ecdsa")
    extra = "LogLevel VERBOSE"
    with SshFarm(1, tmp_path / "farm", key_kinds=kinds, extra=extra) as made:
        yield made


@pytest.fixture
def target(farm: SshFarm) -> Target:
    return farm.target(farm.hosts[0])


def sign_ins(farm: SshFarm) -> int:
    return farm.hosts[0].log().count("Accepted publickey")


def test_two_runs_on_a_host_sign_in_once(farm: SshFarm, target: Target) -> None:
    assert run(target, "exit 3")[0].exit_code == 3
    assert len(pool.POOL) == 1
    # The name it has in the portal and how it becomes root are no part of the connection.
    again = replace(target, name="renamed", login=farm.login(become_password="x"))
    result, output = run(again, "echo again")
    assert (result.status, output.of("stdout")) == ("ok", b"again\n")
    assert result.explanation.startswith("Ended on renamed")
    assert sign_ins(farm) == 1


def test_a_connection_is_not_used_for_another_login_or_key(
    farm: SshFarm, target: Target, tmp_path: Path
) -> None:
    other_key = make_key(tmp_path / "other")
    farm.authorize(other_key)
    other_host_key = farm.hosts[0].keys[1].with_suffix(".pub").read_text()
    login = farm.login(private_key=other_key.read_text())
    run(target, "true")
    assert run(replace(target, login=login), "true")[0].status == "ok"
    assert run(replace(target, host_key=other_host_key), "true")[0].status == "ok"
    assert sign_ins(farm) == 3
    stranger = farm.login(private_key=make_key(tmp_path / "stranger").read_text())
    assert run(replace(target, login=stranger), "true")[0].status == "unreachable"
    assert run(replace(target, host_key=None), "true")[0].status == "unreachable"


def test_a_connection_that_died_is_replaced(farm: SshFarm, target: Target) -> None:
    run(target, "true")
    farm.halt(farm.hosts[0])
    farm.restart(farm.hosts[0])
    assert run(target, "true")[0].status == "ok"
    assert sign_ins(farm) == 2


def test_what_was_stopped_is_not_used_again(target: Target) -> None:
    result, _ = run(target, "sleep 30", timeout=0.3)
    assert result.status == "timed_out"
    assert len(pool.POOL) == 0


def test_an_idle_connection_is_closed_in_time(
    farm: SshFarm, target: Target, settings: Any
) -> None:
    settings.SSH_POOL_SECONDS = 1
    run(target, "true")
    assert len(pool.POOL) == 1
    wait_until(lambda: len(pool.POOL) == 0, 5)
    wait_until(lambda: not farm.hosts[0].children(), 5)
    wait_until(lambda: "ssh-pool" not in {t.name for t in threading.enumerate()}, 5)


def test_the_pool_is_bounded_and_may_be_off(
    farm: SshFarm, target: Target, settings: Any
) -> None:
    settings.SSH_POOL_MOST = 1
    other = replace(
        target, host_key=farm.hosts[0].keys[1].with_suffix(".pub").read_text()
    )
    run(target, "true")
    run(other, "true")
    assert len(pool.POOL) == 1
    run(other, "true")
    assert sign_ins(farm) == 2
    pool.POOL.close()
    settings.SSH_POOL_SECONDS = 0
    run(target, "true")
    assert len(pool.POOL) == 0


def test_a_child_process_has_no_connections_and_leaves_those_of_its_parent_alone(
    farm: SshFarm, target: Target
) -> None:
    run(target, "true")
    child = os.fork()
    if child == 0:
        ended = 1
        try:
            empty = len(pool.POOL) == 0
            ended = 0 if empty and run(target, "true")[0].status == "ok" else 2
        finally:
            os._exit(ended)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert run(target, "true")[0].status == "ok"
    assert sign_ins(farm) == 2


def test_a_quiet_connection_hardly_wakes(target: Target) -> None:
    run(target, "true")
    before, began = time.process_time(), time.monotonic()
    time.sleep(1)
    assert time.process_time() - before < 0.05 * (time.monotonic() - began)

"""The process manager with the real supervisord, Valkey and SecantusDB, and stubs for the rest."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from adminset.launch import services
from tests.launch.launching import Launch, wait_for


@pytest.fixture
def launch() -> Iterator[Launch]:
    folder = Path(tempfile.mkdtemp(prefix="adminset-"))
    made = Launch(folder)
    yield made
    made.clean()
    shutil.rmtree(folder)


def test_it_starts_restarts_what_dies_and_stops_without_a_trace(launch: Launch) -> None:
    pids = launch.start().wait_until_ready()
    url = launch.place.url
    ready = f"AdminSet is ready at {url} - sign in as admin / first-password\n"
    assert ready in launch.said()
    assert {
        "launcher",
        "supervisord",
        "valkey",
        "secantus",
        "web",
        "worker",
        "beat",
    } < set(pids)
    assert (launch.place.data / "agent" / "credential").read_text() == "token"

    for name in ("worker", "valkey", "secantus"):
        os.kill(pids[name], signal.SIGKILL)
    for name in ("worker", "valkey", "secantus"):
        new = wait_for(
            lambda name=name: launch.pids().get(name) not in {None, pids[name]}
        )
        assert new
        assert f"{name} died and was started again" in launch.said()
    assert launch.pids()["web"] == pids["web"]

    wait_for(lambda: len(launch.leftovers()) > 7)
    assert any("sleep 3600" in line for line in launch.leftovers())
    assert launch.stop() < 10
    assert launch.process.returncode == 0
    assert launch.leftovers() == []
    assert not (launch.place.run_dir / "ready.json").exists()


def test_a_second_start_keeps_ports_and_tells_no_password(launch: Launch) -> None:
    launch.start().wait_until_ready()
    first = services._last(launch.place)
    assert launch.stop(signal.SIGINT) < 10
    launch.start().wait_until_ready()
    assert services._last(launch.place) == first
    assert "(the password of the first start)" in launch.said()
    assert "first-password" not in launch.said()


def test_a_killed_launcher_takes_its_children_along_and_the_next_one_starts(
    launch: Launch,
) -> None:
    pids = launch.start().wait_until_ready()
    launch.process.kill()
    launch.process.wait()
    again = launch.start().wait_until_ready()
    assert not set(pids.values()) & set(again.values())
    assert not any(psutil.pid_exists(pid) for pid in pids.values())


def test_a_killed_supervisord_takes_everything_along_and_is_said(
    launch: Launch,
) -> None:
    pids = launch.start().wait_until_ready()
    os.kill(pids["supervisord"], signal.SIGKILL)
    launch.process.wait(20)
    assert launch.process.returncode == 1
    assert "AdminSet: The process manager supervisord died" in launch.said()
    assert launch.leftovers() == []


def test_a_part_that_dies_before_the_portal_is_ready_ends_the_start(
    launch: Launch,
) -> None:
    launch.start(ADMINSET_STUB_DIES="worker@%h")
    launch.process.wait(30)
    assert launch.process.returncode == 1
    assert "worker keeps dying and was given up" in launch.said()
    assert "the stub was told to die" in launch.said()
    assert "Traceback" not in launch.said()
    assert launch.leftovers() == []


def test_a_bad_setting_is_said_in_its_own_words(launch: Launch) -> None:
    launch.start(ADMINSET_STUB_SETTING="REDIS_DB is 'x'; wanted: a whole number.")
    launch.process.wait(20)
    assert launch.process.returncode == 1
    assert "AdminSet: REDIS_DB is 'x'; wanted: a whole number. (log: " in launch.said()
    assert "Traceback" not in launch.said()


def test_a_second_launcher_of_the_same_data_is_refused(launch: Launch) -> None:
    launch.start().wait_until_ready()
    other = Launch.__new__(Launch)
    other.root, other.place = launch.root, launch.place
    other.output = launch.output.with_name("other")
    other.start()
    other.process.wait(20)
    assert other.process.returncode == 1
    assert "already running at" in other.said()
    assert launch.process.poll() is None

"""`make worker`: what it is told, what it refuses, how the output comes home."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adminset.launch import site_worker
from adminset.launch.errors import LaunchError
from tests.launch.places import make_place

STORES = {"DATABASE_URL": "postgres://db/adminset", "REDIS_URL": "redis://r/0"}


@pytest.mark.parametrize("names", ["idc.bj", "idc.bj,idc.sh-2", "idc.bj, idc.sh"])
def test_queues_are_names(tmp_path: Path, names: str) -> None:
    place = make_place(tmp_path, QUEUES=names)
    assert site_worker.queues(place) == names.replace(" ", "")


@pytest.mark.parametrize("names", ["", "-Q", "idc.bj;reboot", "idc.bj,", "a b\n"])
def test_other_words_are_refused(tmp_path: Path, names: str) -> None:
    with pytest.raises(LaunchError, match="wanted: names of queues"):
        site_worker.queues(make_place(tmp_path, QUEUES=names))


def test_a_worker_elsewhere_sends_its_output_home(tmp_path: Path) -> None:
    told = site_worker.environment(make_place(tmp_path, **STORES))
    assert told["ADMINSET_RUN_SENDS_OUTPUT"] == "1"
    assert told["ADMINSET_DATA_DIR"] == str(tmp_path / "var")
    shared = make_place(tmp_path, **STORES, ADMINSET_RUN_SENDS_OUTPUT="0")
    assert site_worker.environment(shared)["ADMINSET_RUN_SENDS_OUTPUT"] == "0"


@pytest.mark.parametrize(
    ("stores", "told"),
    [
        ({"REDIS_URL": "redis://r/0"}, "set DATABASE_URL"),
        ({**STORES, "DATABASE_URL": "sqlite:////x"}, "SQLite is a file of one machine"),
        ({"DATABASE_URL": "postgres://db/x"}, "set REDIS_URL"),
    ],
)
def test_stores_that_it_could_not_reach_are_refused(
    tmp_path: Path, stores: dict[str, str], told: str
) -> None:
    with pytest.raises(LaunchError, match=told):
        site_worker.environment(make_place(tmp_path, **stores))


def test_beside_the_portal_it_takes_its_stores_and_sends_nothing(
    tmp_path: Path,
) -> None:
    place = make_place(tmp_path)
    place.run_dir.mkdir(parents=True)
    (place.run_dir / "ready.json").write_text("{}")
    (place.run_dir / "services.env").write_text("REDIS_URL=redis://:x@127.0.0.1:1/0\n")
    told = site_worker.environment(place)
    assert told["REDIS_URL"] == "redis://:x@127.0.0.1:1/0"
    assert told["ADMINSET_RUN_SENDS_OUTPUT"] == "0"


def test_the_command_line_holds_no_secret_and_a_name_of_its_own(tmp_path: Path) -> None:
    command = site_worker.command(Path("/venv/python"), "idc.bj,idc.sh", 3)
    assert command[:5] == ["/venv/python", "-m", "celery", "-A", "adminset"]
    assert command[command.index("--queues") + 1] == "idc.bj,idc.sh"
    name = command[command.index("--hostname") + 1]
    assert name.startswith(f"idc.bj.{os.getpid()}@")


def test_what_is_missing_is_said_by_the_check(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    python = place.python
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho 'CommandError: The keys differ.' >&2\nexit 1\n")
    python.chmod(0o755)
    with pytest.raises(LaunchError, match=r"^The keys differ\.$"):
        site_worker.check(place, "idc.bj", dict(os.environ))

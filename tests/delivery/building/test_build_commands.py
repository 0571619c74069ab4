"""One command of a build: a clean environment, limits that hold, a live output, and nothing of it left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from delivery.building import log as logs
from delivery.building import rooms
from delivery.building.commands import BuildError, run_command
from delivery.building.log import BuildLog
from delivery.building.rooms import Room

WAIT = 60.0


def run(room: Room, log: BuildLog, command: str, **how: Any) -> int:
    how = {"seconds": 50, "look": lambda: None, "environment": {}} | how
    return run_command(room, command, how.pop("environment"), log, **how)


def printed(log: BuildLog) -> str:
    log.close()
    return logs.read(1, 0, last=True).text


def until(answer: Callable[[], Any]) -> Any:
    end = time.monotonic() + WAIT
    while time.monotonic() < end:
        found = answer()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come")


def still_there(word: str) -> list[str]:
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if word in line and process.pid != os.getpid():
            found.append(line)
    return found


def test_a_command_sees_nothing_of_the_portals_environment(
    room: Room, log: BuildLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "leak")
    assert run(room, log, "env; pwd", environment={"ADMINSET_COMMIT": "c1"}) == 0
    text = printed(log)
    names = {line.partition("=")[0] for line in text.splitlines() if "=" in line}
    assert names == {
        "ADMINSET_COMMIT", "CI", "HOME", "LANG", "LC_ALL", "PATH", "PWD", "SHELL",
        "TMPDIR", "TZ", "XDG_CACHE_HOME",
    }  # fmt: skip
    assert f"HOME={room.home}" in text
    assert text.endswith(f"{room.source}\n")


def test_words_of_the_settings_stand_before_each_command(
    room: Room, log: BuildLog, settings: Any
) -> None:
    settings.BUILD_WRAPPER = ["/usr/bin/env", "SEEN={folder} {caches};id"]
    assert run(room, log, 'echo "$SEEN"') == 0
    assert printed(log) == f"{room.root} {room.caches};id\n"


def test_it_stops_at_the_first_line_that_fails(room: Room, log: BuildLog) -> None:
    assert run(room, log, "echo one\nfalse\necho two\n") == 1
    assert printed(log) == "one\n"


def test_secrets_are_masked_and_what_is_odd_stays_readable(
    room: Room, log: BuildLog
) -> None:
    assert run(room, log, "printf 'a hunter2-hunter2 \\377 b'") == 0
    text = printed(log)
    assert "hunter2" not in text
    assert text.endswith("\ufffd b")


def test_the_command_itself_stands_on_no_command_line(
    room: Room, log: BuildLog
) -> None:
    command = "# unsaid-word\ncat /proc/$$/cmdline /proc/$PPID/cmdline | tr '\\0' ' '"
    assert run(room, log, command) == 0
    assert "unsaid-word" not in printed(log)


def test_a_command_that_takes_too_long_is_ended(room: Room, log: BuildLog) -> None:
    assert run(room, log, "sleep 9181", seconds=1) == 124
    assert still_there("sleep 9181") == []


def test_what_it_leaves_in_the_background_ends_with_it(
    room: Room, log: BuildLog
) -> None:
    command = """
        (setsid sh -c 'trap "" TERM HUP INT; sleep 9182; sleep 9182' &)
        nohup sleep 9182 >/dev/null 2>&1 &
        echo started
    """
    assert run(room, log, command) == 0
    assert printed(log) == "started\n"
    assert still_there("sleep 9182") == []


def test_a_signal_is_told_as_shells_do(room: Room, log: BuildLog) -> None:
    assert run(room, log, "kill -9 $$") == 128 + signal.SIGKILL


def test_who_looks_can_end_it_and_reads_what_came_so_far(
    room: Room, log: BuildLog
) -> None:
    class Stop(Exception):
        pass

    def look() -> None:
        if "begun" in logs.read(1, 0).text:
            raise Stop

    with pytest.raises(Stop):
        run(room, log, "echo begun; sleep 9183", look=look)
    assert still_there("sleep 9183") == []


def test_limits_of_files_and_memory_hold(
    room: Room, log: BuildLog, settings: Any
) -> None:
    settings.BUILD_FILE_BYTES = 2**20
    settings.BUILD_MEMORY_BYTES = 200 * 2**20
    assert run(room, log, "head -c 3000000 /dev/zero > large") != 0
    assert (room.source / "large").stat().st_size <= 2**20
    assert run(room, log, f"{sys.executable} -c 'bytearray(2**30)'") != 0
    assert "MemoryError" in printed(log)


def test_a_build_that_fills_the_disk_is_stopped(
    room: Room, log: BuildLog, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BUILD_DISK_BYTES = 2**20
    monkeypatch.setattr("delivery.building.commands.DISK_SECONDS", 0.0)
    filling = "while true; do head -c 500000 /dev/urandom >> f; sleep 0.1; done"
    with pytest.raises(BuildError, match="of the disk"):
        run(room, log, filling)


def test_of_an_endless_output_head_and_end_are_kept(
    room: Room, log: BuildLog, settings: Any
) -> None:
    settings.BUILD_OUTPUT_BYTES = 100_000
    small = BuildLog(1)
    assert run(room, small, "seq 1 100000; echo the end") == 0
    small.close()
    assert logs.size(1) < 110_000
    text = logs.read(1, 0, most=200_000).text
    assert text.startswith("1\n2\n")
    assert text.endswith("the end\n")
    assert "bytes are left out here" in text


WORKER = """
    import django, sys
    django.setup()
    from delivery.building import rooms
    from delivery.building.commands import run_command
    from delivery.building.log import BuildLog
    room = rooms.room_of("deploy-1", 1)
    run_command(room, sys.argv[1], {}, BuildLog(1), seconds=500, look=lambda: None)
"""


def worker(tmp_path: Path, command: str) -> subprocess.Popen[bytes]:
    """Start a worker of its own whose data lies where the test's does."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WORKER), command],
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": "adminset.settings",
            "ADMINSET_DATA_DIR": str(tmp_path),
        },
    )


def test_a_killed_workers_command_ends_at_once(room: Room, tmp_path: Path) -> None:
    begun = room.source / "begun"
    process = worker(tmp_path, "(setsid sleep 9184 &); touch begun; sleep 9184")
    until(begun.exists)
    process.kill()
    process.wait()
    until(lambda: not still_there("sleep 9184"))
    assert not still_there("sleep 9184")


def test_what_even_outlives_its_keeper_is_found_by_the_next_attempt(
    room: Room, tmp_path: Path
) -> None:
    begun = room.source / "begun"
    process = worker(tmp_path, "touch begun; setsid sleep 9185")
    until(begun.exists)
    keepers = [
        p
        for p in psutil.Process(process.pid).children()
        if "child.py" in " ".join(p.cmdline())
    ]
    os.kill(process.pid, signal.SIGSTOP)
    for keeper in keepers:
        keeper.kill()
    process.kill()
    process.wait()
    assert len(still_there("sleep 9185")) == 1
    rooms.make_clean(room)
    until(lambda: not still_there("sleep 9185"))
    assert list(room.source.iterdir()) == []


def test_output_is_read_while_it_grows_whole_characters_only(
    room: Room, log: BuildLog
) -> None:
    go = room.source / "go"
    command = "printf 'gr\\303'; while [ ! -e go ]; do sleep 0.1; done; printf '\\274n'"
    thread = threading.Thread(target=run, args=(room, log, command))
    thread.start()
    until(lambda: logs.size(1) == 3)
    first = logs.read(1, 0)
    assert (first.text, first.next_offset) == ("gr", 2)
    go.touch()
    thread.join()
    log.close()
    assert logs.read(1, first.next_offset).text == "ün"

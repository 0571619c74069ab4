"""Runs of Ansible that are cut off: nothing stays, here or on the hosts."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tasks.ansible import RunEvent, run_playbook
from tasks.targets import Login
from tests.farm import SshFarm, throw_away_user
from tests.tasks.doors import (
    COMMAND,
    Case,
    alive,
    belonging,
    clean_case,
    passing_password,
    remaining,
    sleeping,
    wait_until,
)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    with SshFarm(2, tmp_path_factory.mktemp("farm"), with_password=True) as made:
        yield made


@pytest.fixture(scope="module")
def user() -> Iterator[Login]:
    with throw_away_user() as (name, password):
        yield Login(name, password)


@pytest.fixture
def case(farm: SshFarm) -> Iterator[Case]:
    with clean_case(farm) as made:
        yield made


def cancel_when(mark: str, cancel: threading.Event) -> None:
    wait_until(lambda: sleeping(mark))
    cancel.set()


def test_cancel_ends_everything_on_both_sides(case: Case) -> None:
    mark = str(time.monotonic_ns())
    cancel = threading.Event()
    threading.Thread(target=cancel_when, args=(mark, cancel)).start()
    moment: list[float] = []

    def cancelled() -> bool:
        if cancel.is_set() and not moment:
            moment.append(time.monotonic())
        return cancel.is_set()

    text = COMMAND.format(command=f"(setsid sleep 300.{mark}); echo")
    result = case.playbook(text, cancelled=cancelled)
    took = time.monotonic() - moment[0]
    assert (result.status, result.explanation) == ("cancelled", "Cancelled.")
    assert {host.status for host in result.hosts.values()} == {"cancelled"}
    assert remaining(mark) == []
    assert took < 8, f"{took:.1f} s"


def test_cancel_ends_what_sudo_started_with_a_password(
    case: Case, farm: SshFarm, user: Login
) -> None:
    if shutil.which("sudo") is None:
        pytest.skip("sudo is missing: apt-get install sudo")
    mark = str(time.monotonic_ns())
    rule = Path(f"/etc/sudoers.d/{user.user}")
    rule.write_text(f"{user.user} ALL=(ALL) ALL\n")
    rule.chmod(0o440)
    try:
        login = replace(user, become_method="sudo", become_password=user.password)
        target = farm.target(farm.hosts[0], login=login)
        result = case.module("command", "id -u", target)
        assert result.status == "ok", case.text()
        assert ">>\n0" in case.text()
        cancel = lambda: sleeping(mark, 1)  # noqa: E731 - as short as it is
        text = COMMAND.format(command=f"sleep 300.{mark}; echo")
        text = text.replace("gather_facts", "become: true\n  gather_facts")
        result = case.playbook(text, [target], cancelled=cancel)
        assert result.explanation == "Cancelled."
        assert remaining(mark) == []
        assert user.password is not None
        assert user.password not in case.text()
        assert passing_password(user.password) == []
    finally:
        rule.unlink()


def test_the_time_out_ends_everything_and_names_the_hosts(case: Case) -> None:
    mark = str(time.monotonic_ns())
    text = (
        "- hosts: all\n  gather_facts: false\n  strategy: free\n  tasks:\n"
        f"    - command: sleep {{{{ 300.{mark} if inventory_hostname == 'host1' else 0 }}}}\n"
    )
    text = text.replace(f"300.{mark}", f"'300.{mark}'")
    for seconds in (4, 40):
        result = case.playbook(text, timeout=float(seconds))
        # On a busy machine 4 s may not be enough for a start.
        if result.hosts["host0"].status == "ok":
            break
    assert result.status == "timed_out"
    label = case.targets[1].label
    words = f"Not finished within the time-out of {seconds} s. “command” has not returned on 1 host."
    assert result.explanation == words
    host = result.hosts["host1"]
    assert (host.status, host.limit) == ("timed_out", "host")
    assert host.explanation == (
        f"{label} had not finished when the time-out came. “command” had not returned."
    )
    assert remaining(mark) == []


def test_a_run_that_says_nothing_for_too_long_ends(case: Case) -> None:
    mark = str(time.monotonic_ns())
    text = COMMAND.format(command=f"echo begun; sleep 300.{mark}")
    result = case.playbook(text, idle_timeout=15.0)
    assert result.status == "timed_out"
    assert result.explanation.startswith("No output for 15 s. “work” has not returned")
    assert {host.limit for host in result.hosts.values()} == {"idle"}
    assert remaining(mark) == []


def test_cancel_ends_what_ansible_put_into_the_background(case: Case) -> None:
    mark = str(time.monotonic_ns())
    text = COMMAND.format(command=f"sleep 300.{mark}")
    text += "      async: 600\n      poll: 2\n"
    result = case.playbook(text, cancelled=lambda: sleeping(mark))
    assert result.explanation == "Cancelled."
    assert remaining(mark) == []


def test_cancel_leaves_alone_what_tasks_that_ended_have_started(case: Case) -> None:
    mark, service = str(time.monotonic_ns()), str(time.monotonic_ns() + 1)
    text = (
        "- hosts: host0\n  gather_facts: false\n  tasks:\n"
        f"    - shell: setsid sleep 300.{service} </dev/null >/dev/null 2>&1 &\n"
        f"    - command: sleep 300.{mark}\n"
    )
    try:
        result = case.playbook(text, cancelled=lambda: sleeping(mark, 1))
        assert result.explanation == "Cancelled."
        assert remaining(mark) == []
        assert alive(service)
    finally:
        for process in psutil.process_iter(["cmdline"]):
            if f"300.{service}" in (process.info["cmdline"] or []):
                process.kill()


def test_a_handler_that_raises_ends_the_run_with_words(case: Case) -> None:
    mark = str(time.monotonic_ns())

    def on_event(_: RunEvent) -> None:
        raise RuntimeError("disk full")

    text = COMMAND.format(command=f"sleep 300.{mark}")
    result = run_playbook(case.targets, text, case.options(), on_event=on_event)
    assert result.status == "failed"
    assert "could not take in the output" in result.explanation
    assert remaining(mark) == []


def test_a_killed_child_leaves_nothing_and_is_no_success(case: Case) -> None:
    mark = str(time.monotonic_ns())

    def kill() -> None:
        wait_until(lambda: sleeping(mark))
        time.sleep(1.2)
        for process in psutil.Process().children():
            # Another of them may end while one looks.
            with suppress(psutil.NoSuchProcess):
                if "tasks.ansible_child" in process.cmdline():
                    process.kill()

    threading.Thread(target=kill).start()
    result = case.playbook(COMMAND.format(command=f"sleep 300.{mark}"))
    assert result.status == "failed"
    assert "ended unexpectedly" in result.explanation
    assert {host.status for host in result.hosts.values()} == {"failed"}
    assert remaining(mark) == []


PORTAL = """
import json, sys
from pathlib import Path
from tasks.ansible import RunOptions, run_playbook
from tasks.targets import Login, Target
given = json.load(sys.stdin)
targets = [Target(**{**one, "login": Login(**one["login"])}) for one in given["targets"]]
run_playbook(targets, given["text"], RunOptions(Path(given["root"]), 60.0), on_event=print)
"""


def test_a_killed_portal_process_leaves_nothing(case: Case) -> None:
    mark = str(time.monotonic_ns())
    targets = [
        {
            "name": one.name,
            "address": one.address,
            "port": one.port,
            "login": {"user": one.login.user, "private_key": one.login.private_key},
            "host_key": one.host_key,
        }
        for one in case.targets
    ]
    text = COMMAND.format(command=f"sleep 300.{mark}")
    job = {"targets": targets, "text": text, "root": str(case.root)}
    portal = subprocess.Popen(
        [sys.executable, "-c", PORTAL], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert portal.stdin is not None
    portal.stdin.write(json.dumps(job).encode())
    portal.stdin.close()
    try:
        wait_until(lambda: sleeping(mark))
    finally:
        portal.send_signal(signal.SIGKILL)
        portal.wait()
    gone = lambda: not alive(mark) and not list(case.root.iterdir())  # noqa: E731
    wait_until(gone, 20)
    wait_until(lambda: not belonging(case.root), 20)

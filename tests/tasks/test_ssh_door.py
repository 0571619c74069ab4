"""Commands on real sshd servers: output, ends, and what stays behind."""

from __future__ import annotations

import resource
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.targets import (
    Login,
    Target,
)
from tests.farm import FarmHost, SshFarm, throw_away_user
from tests.tasks.doors import alive, remaining, run, wait_until


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    directory = tmp_path_factory.mktemp("farm")
    with SshFarm(1, directory, key_kinds=("ed25519", "rsa", "ecdsa")) as made:
        yield made


@pytest.fixture
def host(farm: SshFarm) -> FarmHost:
    return farm.hosts[0]


@pytest.fixture
def target(farm: SshFarm, host: FarmHost) -> Target:
    return farm.target(host)


def test_a_command_answers_with_exit_code_zero_and_both_streams(target: Target) -> None:
    result, output = run(target, "echo out; echo err >&2")
    assert (result.status, result.exit_code) == ("ok", 0)
    assert result.explanation == f"Ended on {target.label} with exit code 0."
    assert (output.of("stdout"), output.of("stderr")) == (b"out\n", b"err\n")
    assert result.started_at <= result.ended_at
    assert result.started_at.tzinfo is not None


def test_an_exit_code_is_kept_and_said(target: Target) -> None:
    result, _ = run(target, "exit 37")
    assert (result.status, result.exit_code) == ("failed", 37)
    assert result.explanation == f"Ended on {target.label} with exit code 37."


def test_the_command_reaches_the_shell_unmodified(target: Target) -> None:
    command = "x='a  b'; printf '%s|' \"$x\" \"it's\" '$HOME' '`id`' '!!'\nprintf 'two'"
    _, output = run(target, command)
    assert output.of("stdout") == b"a  b|it's|$HOME|`id`|!!|two"


@pytest.mark.parametrize("shell", ["/bin/dash", "busybox sh", "/bin/bash"])
def test_the_command_runs_by_any_posix_shell(target: Target, shell: str) -> None:
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"{shell} is not on this machine")
    result, output = run(target, f"{shell} -c 'echo \"$((6*7))\"; exit 5'")
    assert (output.of("stdout"), result.exit_code) == (b"42\n", 5)


def test_output_that_is_no_text_stays_as_it_is(target: Target) -> None:
    _, output = run(target, "printf '\\344\\270\\255\\377\\000x'")
    assert output.of("stdout") == b"\xe4\xb8\xad\xff\x00x"


def test_output_arrives_while_the_command_runs(target: Target) -> None:
    started = time.monotonic()
    _, output = run(target, "echo first; sleep 1; echo second >&2")
    times = [moment - started for _, _, moment in output.pieces]
    assert times[-1] - times[0] > 0.8
    assert [stream for stream, _, _ in output.pieces] == ["stdout", "stderr"]


def test_stdin_is_empty(target: Target) -> None:
    result, output = run(target, "cat; echo done")
    assert (result.status, output.of("stdout")) == ("ok", b"done\n")


def test_twenty_megabytes_pass_with_flat_memory(target: Target) -> None:
    count = 0

    def on_output(data: bytes, _: str) -> None:
        nonlocal count
        count += len(data)

    run(target, "true")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result, _ = run(target, "head -c 20971520 /dev/zero", on_output=on_output)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert (result.status, count) == ("ok", 20971520)
    assert grown < 10 * 1024, f"{grown} KiB more"


def test_a_daemon_left_behind_does_not_hold_the_command(target: Target) -> None:
    started = time.monotonic()
    result, _ = run(target, "sleep 4.321 & echo started")
    assert result.status == "ok"
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "command",
    [
        "sleep 300.{mark}; echo",
        "setsid sleep 300.{mark}; echo",
        "(sleep 300.{mark} &) ; sleep 300.{mark}1",
        "env -i sleep 300.{mark}",
        "trap '' TERM; while :; do sleep 300.{mark}; done",
    ],
    ids=["plain", "own session", "orphan", "bare environment", "deaf to TERM"],
)
def test_cancel_ends_the_command_on_both_sides(target: Target, command: str) -> None:
    mark = str(time.monotonic_ns())
    cancel = threading.Event()

    def cancel_when_it_runs() -> None:
        wait_until(lambda: alive(f"sleep 300.{mark}"))
        cancel.set()

    threading.Thread(target=cancel_when_it_runs).start()
    started = time.monotonic()
    result, _ = run(target, command.format(mark=mark), cancelled=cancel.is_set)
    assert (result.status, result.exit_code) == ("cancelled", None)
    assert "Its processes there have ended." in result.explanation
    assert remaining(mark) == []
    assert time.monotonic() - started < 10


def test_the_time_out_ends_the_command_and_names_the_host(target: Target) -> None:
    mark = str(time.monotonic_ns())
    result, output = run(target, f"echo early; sleep 300.{mark}", timeout=4)
    assert result.status == "timed_out"
    assert result.explanation == (
        f"{target.label} did not finish within the time-out of 4 s. "
        "Its processes there have ended."
    )
    assert output.of("stdout") == b"early\n"
    assert remaining(mark) == []


def test_a_cancel_before_the_start_runs_nothing(target: Target, tmp_path: Path) -> None:
    result, _ = run(target, f"touch {tmp_path}/ran", cancelled=lambda: True)
    assert result.status == "cancelled"
    assert not (tmp_path / "ran").exists()


def test_a_receiver_that_fails_ends_the_command(target: Target) -> None:
    mark = str(time.monotonic_ns())

    def on_output(_: bytes, __: str) -> None:
        raise RuntimeError("disk full")

    command = f"echo x; sleep 300.{mark}"
    result, _ = run(target, command, on_output=on_output)
    assert result.status == "failed"
    assert "could not be taken in" in result.explanation
    assert remaining(mark) == []


def test_a_broken_connection_is_not_called_an_end(
    farm: SshFarm, target: Target
) -> None:
    def on_output(_: bytes, __: str) -> None:
        for process in farm.hosts[0].children():
            if process.name().startswith("sshd"):
                process.kill()

    result, _ = run(target, "echo x; sleep 5", on_output=on_output)
    assert (result.status, result.exit_code) == ("unreachable", None)
    assert "whether it goes on there is not known" in result.explanation


def test_sudo_takes_its_password_from_memory_only(tmp_path: Path) -> None:
    if shutil.which("sudo") is None:
        pytest.skip("sudo is missing: apt-get install sudo")
    with (
        throw_away_user() as (name, password),
        SshFarm(1, tmp_path / "farm", with_password=True) as farm,
    ):
        rule = Path(f"/etc/sudoers.d/{name}")
        rule.write_text(f"{name} ALL=(ALL) ALL\n")
        rule.chmod(0o440)
        try:
            login = Login(name, password, None, None, "sudo", password)
            target = farm.target(farm.hosts[0], login=login)
            mark = str(time.monotonic_ns())
            seen: list[str] = []

            def cancelled() -> bool:
                seen.extend(alive(password))
                return any(line.startswith("sleep") for line in alive(mark))

            result, output = run(
                target, f"id -u; cat; sleep 300.{mark}; echo", cancelled=cancelled
            )
            assert output.of("stdout") == b"0\n"
            assert "Its processes there have ended." in result.explanation
            assert (alive(mark), seen) == ([], [])
            rule.write_text(f"{name} ALL=(ALL) NOPASSWD: ALL\n")
            result, output = run(target, "cat; exit 3")
            assert (output.pieces, result.exit_code) == ([], 3)
        finally:
            rule.unlink()


def test_su_is_refused_with_the_way_out(farm: SshFarm, target: Target) -> None:
    login = farm.login(become_method="su")
    result, _ = run(replace(target, login=login), "id")
    assert "become root by sudo only" in result.explanation


@pytest.mark.parametrize("command", ["a\0b", "x" * 70_000])
def test_a_command_no_shell_can_take_is_refused(target: Target, command: str) -> None:
    result, _ = run(target, command)
    assert result.status == "failed"
    assert result.explanation.startswith("The command ")

"""Scripts on a real host: every language, every argument, nothing left behind, no secret in a command line."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.ssh.commands import run_script
from tasks.ssh.lines import Script
from tasks.ssh.terms import Terms
from tasks.targets import CommandResult, Target
from tests.farm import SshFarm
from tests.tasks.doors import Output, alive, content_of, remaining, run

HOSTILE = [
    "",
    "two words",
    'it\'s "quoted" `id` $(touch /tmp/never) $HOME',
    "line one\nline two",
    "-rf",
    "*",
    "ü 中",
    "; reboot #",
    "\\",
]


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    with SshFarm(1, tmp_path_factory.mktemp("farm")) as made:
        yield made


@pytest.fixture
def target(farm: SshFarm) -> Target:
    return farm.target(farm.hosts[0])


def do(
    target: Target, script: Script, **options: object
) -> tuple[CommandResult, Output]:
    output = Output()
    options = {"timeout": 20, "connect_timeout": 5, "on_output": output} | options
    return run_script(target, script, Terms(**options)), output  # type: ignore[arg-type]


def left_behind(mark: str) -> list[Path]:
    """Name what is left of the script with a mark; others run theirs at the same time."""
    folders = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - where they would be
    files = [file for folder in folders for file in folder.glob(".adminset-*/*")]
    return [file for file in files if mark.encode() in content_of(file)]


def test_a_shell_script_gets_its_arguments_as_they_are(target: Target) -> None:
    mark = str(time.monotonic_ns())
    text = f'for one in "$@"; do printf "<%s>" "$one"; done; exit 6 # {mark}\n'
    result, output = do(target, Script(text, "sh", HOSTILE))
    assert output.of("stdout").decode() == "".join(f"<{one}>" for one in HOSTILE)
    assert (result.status, result.exit_code) == ("failed", 6)
    assert result.explanation == f"Ended on {target.label} with exit code 6."
    assert not Path("/tmp/never").exists()  # noqa: S108 - what the argument would make
    assert left_behind(mark) == []


def test_a_python_script_runs_and_reads_its_values(target: Target) -> None:
    text = "import os, sys, json\nprint(json.dumps([sys.argv[1:], os.environ['ADMINSET_A']]))"
    script = Script(text, "python", HOSTILE, {"ADMINSET_A": "".join(HOSTILE)})
    result, output = do(target, script)
    assert result.status == "ok", output.of("stderr")
    assert eval(output.of("stdout")) == [HOSTILE, "".join(HOSTILE)]  # noqa: S307 - our own output


def test_a_powershell_script_is_handed_to_pwsh(target: Target, tmp_path: Path) -> None:
    if shutil.which("pwsh"):
        result, output = do(
            target, Script('Write-Output "$($args[0])"', "powershell", ["a b"])
        )
        assert (result.status, output.of("stdout").strip()) == ("ok", b"a b")
        return
    # A stand-in: it shows what PowerShell would be called with.
    stand_in = Path("/usr/local/bin/pwsh")
    if os.getuid() != 0:
        pytest.skip("neither pwsh nor the right to put a stand-in beside it")
    stand_in.write_text('#!/bin/sh\nprintf "%s|" "$@"; cat "$5"\n')
    stand_in.chmod(0o755)
    try:
        result, output = do(target, Script("Get-Date", "powershell", ["a b"]))
    finally:
        stand_in.unlink()
    first = output.of("stdout").decode()
    assert result.status == "ok", output.of("stderr")
    assert first.startswith("-NoLogo|-NoProfile|-NonInteractive|-File|/tmp/.adminset-")
    assert first.endswith("/script.ps1|a b|Get-Date")


def test_an_interpreter_that_is_missing_is_named(target: Target) -> None:
    if shutil.which("pwsh") is None:
        result, output = do(target, Script("Get-Date", "powershell"))
        assert (result.status, result.exit_code) == ("failed", 127)
        assert result.explanation.startswith(f"pwsh is not installed on {target.label}")
        assert output.of("stderr") == b""
    result, _ = do(target, Script("#!/usr/bin/env no-such-shell -x\n"))
    assert result.explanation.startswith("no-such-shell is not installed")


def test_the_first_line_of_a_script_names_its_interpreter(target: Target) -> None:
    result, output = do(
        target, Script("#!/bin/bash -u\r\necho ${BASH_VERSION:+bash}\r\n")
    )
    assert (result.status, output.of("stdout")) == ("ok", b"bash\n")


def test_the_file_is_private_and_the_input_empty(target: Target) -> None:
    text = 'cat; stat -c %a "$0" "${0%/*}"; echo "$0" >&2; pwd'
    _, output = do(target, Script(text))
    modes = output.of("stdout").decode().split()
    assert modes[:2] == ["700", "700"]
    assert modes[2] == str(Path.home())
    assert not Path(output.of("stderr").decode().strip()).exists()


def test_a_secret_is_in_no_command_line(target: Target) -> None:
    secret = f"sesame-{time.monotonic_ns()}"
    seen: list[str] = []

    def look() -> bool:
        seen.extend(line for line in alive(secret) if "pytest" not in line)
        return False

    script = Script(
        "sleep 1; echo $ADMINSET_PASSWORD", "sh", (), {"ADMINSET_PASSWORD": secret}
    )
    _, output = do(target, script, cancelled=look)
    assert output.of("stdout").decode() == f"{secret}\n"
    assert seen == []
    _, output = run(target, 'sleep 0.5; echo "$ADMINSET_PASSWORD"', cancelled=look)
    assert output.of("stdout") == b"\n"


@pytest.mark.parametrize("stubborn", [False, True], ids=["plain", "deaf to TERM"])
@pytest.mark.parametrize("how", ["cancelled", "timed_out"])
def test_a_script_that_is_stopped_leaves_no_process_and_no_file(
    target: Target, stubborn: bool, how: str
) -> None:
    mark = str(time.monotonic_ns())
    trap = "trap '' TERM\n" if stubborn else ""
    text = f"{trap}echo begun\nwhile :; do sleep 300.{mark}; done\n"
    begun = Output()

    def stop() -> bool:
        return how == "cancelled" and bool(begun.pieces)

    began = time.monotonic()
    timeout = 20 if how == "cancelled" else 1
    result, _ = do(
        target, Script(text), on_output=begun, cancelled=stop, timeout=timeout
    )
    assert result.status == how
    assert result.limit == ("host" if how == "timed_out" else "")
    assert "Its processes there have ended." in result.explanation
    assert remaining(mark) == []
    assert left_behind(mark) == []
    assert time.monotonic() - began < 10


def test_silence_is_a_time_out_of_its_own(target: Target) -> None:
    mark = str(time.monotonic_ns())
    text = f"for i in 1 2 3 4; do echo $i; sleep 0.4; done; sleep 300.{mark}"
    result, output = do(target, Script(text), idle_timeout=4)
    assert (result.status, result.limit) == ("timed_out", "idle")
    assert f"{target.label} printed nothing for 4 s" in result.explanation
    assert output.of("stdout") == b"1\n2\n3\n4\n"
    assert remaining(mark) == []


def test_a_long_script_arrives_whole_or_does_not_run(target: Target) -> None:
    text = "#" + "x" * 200_000 + "\necho whole\n"
    result, output = do(target, Script(text))
    assert (result.status, output.of("stdout")) == ("ok", b"whole\n")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (Script("a\0b"), "NUL"),
        (Script("true", "sh", ["a\0b"]), "NUL"),
        (Script("x" * 1_100_000), "longer than 1 MiB"),
        (Script("true", "cobol"), "no way to run"),
        (Script("true", "sh", (), {"A B": "x"}), "cannot be called A B"),
    ],
)
def test_what_cannot_be_run_is_refused_before_the_host_is_reached(
    target: Target, script: Script, words: str
) -> None:
    result, output = do(target, script)
    assert result.status == "failed"
    assert words in result.explanation
    assert output.pieces == []

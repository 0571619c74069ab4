"""The programs by themselves, in two shells: what is killed at any step leaves each file whole, and the next try ends the work."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.delivery.configs.program_things import MARK, OWN, run, shell, values_of

__all__ = ["shell"]

# Programs of the host that a push calls; before or after the n-th of these calls the shell is killed.
CALLED = (
    "sha256sum",
    "stat",
    "chmod",
    "sync",
    "rm",
    "cp",
    "mv",
    "mkdir",
    "rmdir",
)
SHIM = """#!/bin/sh
count=$(cat "$COUNT_FILE" 2>/dev/null || echo 0)
count=$((count + 1))
echo "$count" >"$COUNT_FILE"
if [ "$count" -eq "$KILL_AT" ] && [ "$KILL_WHEN" = before ]; then kill -9 "$PPID"; exit 1; fi
"$REAL" "$@"
code=$?
if [ "$count" -eq "$KILL_AT" ] && [ "$KILL_WHEN" = after ]; then kill -9 "$PPID"; fi
exit "$code"
"""


def _shims(folder: Path) -> Path:
    folder.mkdir()
    for name in CALLED:
        real = shutil.which(name)
        assert real
        shim = folder / name
        shim.write_text(SHIM.replace('"$REAL"', real))
        shim.chmod(shim.stat().st_mode | stat.S_IXUSR)
    return folder


@pytest.mark.timeout(240)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_push_that_is_killed_anywhere_leaves_whole_files_and_the_next_one_ends_it(
    tmp_path: Path, shell: tuple[str, ...], when: str
) -> None:
    if shell[0] == "busybox" and when == "before":
        pytest.skip("busybox calls its own parts: once is enough")
    shims = _shims(tmp_path / "shims")
    texts = {"a.conf": "new a\n", "b.conf": "new b\n"}
    kills = 0
    for at in range(1, 200):
        folder = tmp_path / f"etc{at}" / "etc"
        folder.mkdir(parents=True)
        (folder / "a.conf").write_text("old a\n")
        values, count = values_of(folder, texts), tmp_path / f"count{at}"
        killed = run(
            shell,
            "push",
            values,
            PATH=f"{shims}:{os.environ['PATH']}",
            COUNT_FILE=str(count),
            KILL_AT=str(at),
            KILL_WHEN=when,
        )
        found = (folder / "a.conf").read_text()
        assert found in {"old a\n", "new a\n"}, (at, killed.stderr)
        other = folder / "b.conf"
        assert not other.exists() or other.read_text() == "new b\n", at
        ended = run(shell, "push", values)
        assert ended.returncode == 0, (at, ended.stderr)
        assert (folder / "a.conf").read_text() == "new a\n"
        assert other.read_text() == "new b\n"
        left = {path.name for path in folder.iterdir()} - set(texts)
        assert left <= {OWN}, at
        kept = {path.name for path in folder.glob(f"{OWN}/*")}
        assert kept <= {"a.conf.20260131-120000"}, at
        # It ran for the change, in the one run or in the other; twice does no harm.
        assert (folder.parent / "reloads").read_text().count("x") in {1, 2}, at
        if killed.returncode == 0:
            break
        kills += 1
    assert killed.returncode == 0, "the end was never reached"
    assert kills > (10 if shell[0] != "busybox" else -1)


def test_no_command_finds_texts_marks_or_values_in_its_environment(
    tmp_path: Path, shell: tuple[str, ...]
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    values = values_of(folder, {"a.conf": "s3cret-word\n"})
    values["0_VALIDATE"] = f"env >{tmp_path}/validated"
    values["R0"] = f"env >{tmp_path}/reloaded"
    values["S0"] = "s3cret-word"
    assert run(shell, "push", values).returncode == 0
    for name in ("validated", "reloaded"):
        told = (tmp_path / name).read_text()
        assert "s3cret" not in told
        assert MARK not in told
        assert "CFG_" not in told


def test_what_a_command_prints_is_not_what_the_program_says(
    tmp_path: Path, shell: tuple[str, ...]
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    values = values_of(folder, {"a.conf": "a\n"})
    values["0_VALIDATE"] = 'printf "@%s f0 p\\n" "$AS_MARK"; false'
    done = run(shell, "push", values)
    assert done.returncode == 74
    said = [line for line in done.stdout.splitlines() if MARK in line]
    assert said == [f"@{MARK} f0 x the validate command ended with exit code 1"]
    assert list(folder.iterdir()) == []


def test_reading_masks_secrets_on_the_host_even_one_that_looks_like_the_mask(
    tmp_path: Path, shell: tuple[str, ...]
) -> None:
    file = tmp_path / "a.conf"
    file.write_bytes(b"one s3cret-word\ns3cret-words3cret-word\n\xff\xfe\n....\n")
    values = {
        "COUNT": "1",
        "BUDGET": "48000",
        "MOST": "100000",
        "MASK": "....",
        "0_PATH": str(file),
        "0_SHA": "0" * 64,
        "0_TEXT": "1",
        "SECRETS": "2",
        "S0": "s3cret-word",
        "S1": "....",
    }
    done = run(shell, "read", values)
    assert done.returncode == 0, done.stderr
    said = dict(
        line.removeprefix(f"@{MARK} ").split(" ", 1)
        for line in done.stdout.splitlines()
    )
    assert said["f0"] == "d"
    assert "s3cret" not in done.stdout
    packed = said["c0.0"]
    plain = subprocess.run(
        ["/bin/sh", "-c", "base64 -d | gunzip"],
        input=packed.encode(),
        capture_output=True,
        check=True,
    ).stdout
    assert plain == b"one ....\n........\n\xff\xfe\n....\n"

"""The script that ends processes on a host, under the shells that hosts have."""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tasks.remote_stop import CONFIRMED, TOKEN_VARIABLE, stop_by_token
from tests.tasks.doors import alive, remaining, wait_until


@pytest.mark.parametrize("shell", ["/bin/sh", "busybox sh", "bash --posix"])
def test_all_marked_processes_end_and_no_other(shell: str) -> None:
    if shutil.which(shell.split()[0]) is None:
        pytest.skip(f"{shell} is not on this machine")
    token, mark = secrets.token_hex(16), secrets.randbelow(10**9)
    bystander = subprocess.Popen(["sleep", f"301.{mark}"])
    marked = subprocess.Popen(
        ["/bin/sh", "-c", f"setsid sleep 300.{mark} & env -i sleep 300.{mark}; echo"],
        env={**os.environ, TOKEN_VARIABLE: token},
    )
    wait_until(lambda: len([x for x in alive(f"300.{mark}") if x[0] == "s"]) == 2)
    line = stop_by_token(token, as_root=False).replace("/bin/sh", shell, 1)
    done = subprocess.run(shlex.split(line), capture_output=True, check=False)
    marked.wait()
    assert (done.stdout.strip(), done.stderr) == (CONFIRMED, b"")
    assert remaining(f"300.{mark}") == []
    assert len(alive(f"301.{mark}")) == 1
    bystander.kill()
    bystander.wait()


def test_the_folder_of_what_is_stopped_goes_with_it() -> None:
    token, name = secrets.token_hex(16), f".adminset-{secrets.token_hex(8)}"
    folders = [Path("/tmp") / name, Path.home() / name]  # noqa: S108 - where a script works
    for folder in folders:
        folder.mkdir(mode=0o700)
        (folder / "script.sh").write_text("secret")
    line = stop_by_token(token, as_root=False, folder=name)
    done = subprocess.run(shlex.split(line), capture_output=True, check=False)
    assert done.stdout.strip() == CONFIRMED
    assert [folder.exists() for folder in folders] == [False, False]

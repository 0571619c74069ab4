"""Scripts and files as root and as another user: the password goes through memory only, and only sudo gets it."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.ssh.commands import run_script
from tasks.ssh.delivery import Delivery
from tasks.ssh.files import put_files
from tasks.ssh.lines import Script
from tasks.ssh.terms import Terms
from tasks.targets import Login, Target
from tests.farm import SshFarm, throw_away_user
from tests.tasks.doors import Output, alive, content_of, remaining, run


class Sudoer:
    """A user who becomes root by a password, or without."""

    def __init__(self, name: str, password: str, target: Target) -> None:
        self.name, self.password, self.target = name, password, target
        self.rule = Path(f"/etc/sudoers.d/{name}")

    def may(self, tag: str = "") -> None:
        self.rule.write_text(f"{self.name} ALL=(ALL) {tag} ALL\n")
        self.rule.chmod(0o440)


@pytest.fixture(scope="module")
def sudoer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sudoer]:
    if shutil.which("sudo") is None:
        pytest.skip("sudo is missing: apt-get install sudo")
    folder = tmp_path_factory.mktemp("farm")
    with (
        throw_away_user() as (name, password),
        SshFarm(1, folder, with_password=True) as farm,
    ):
        login = Login(name, password, None, None, "sudo", password)
        made = Sudoer(name, password, farm.target(farm.hosts[0], login=login))
        made.may()
        yield made
        made.rule.unlink()


@pytest.mark.parametrize("tag", ["", "NOPASSWD:"])
def test_a_script_runs_as_root_and_does_not_see_the_password(
    sudoer: Sudoer, tag: str
) -> None:
    sudoer.may(tag)
    output = Output()
    text = 'id -u; cat; cat "$0"; env; ls -l "${0%/*}"'
    result = run_script(sudoer.target, Script(text), Terms(output, 20))
    said = output.of("stdout").decode()
    assert result.status == "ok", output.of("stderr")
    assert said.startswith("0\n")
    assert sudoer.password not in said


def test_a_script_runs_as_another_user(sudoer: Sudoer) -> None:
    sudoer.may("NOPASSWD:")
    login = replace(sudoer.target.login, become_user="nobody")
    output = Output()
    target = replace(sudoer.target, login=login)
    run_script(target, Script('id -un; cat "$0" | tail -c 5'), Terms(output, 20))
    assert output.of("stdout") == b"nobody\n -c 5"
    assert run(target, "id -un")[1].of("stdout") == b"nobody\n"
    hostile = replace(login, become_user="-u root")
    result, _ = run(replace(target, login=hostile), "id")
    assert "begins with -" in result.explanation


def test_a_wrong_password_is_refused_by_sudo_and_nothing_runs(
    sudoer: Sudoer, tmp_path: Path
) -> None:
    sudoer.may()
    login = replace(sudoer.target.login, become_password="wrong")
    output = Output()
    script = Script(f"touch {tmp_path}/ran")
    target = replace(sudoer.target, login=login)
    result = run_script(target, script, Terms(output, 20))
    assert result.status == "failed"
    assert not (tmp_path / "ran").exists()
    assert b"wrong" not in output.of("stderr").replace(b"incorrect", b"")


def test_a_script_of_root_is_stopped_with_all_its_processes_and_files(
    sudoer: Sudoer,
) -> None:
    sudoer.may()
    mark = str(time.monotonic_ns())
    seen: list[str] = []
    output = Output()

    def cancelled() -> bool:
        seen.extend(alive(sudoer.password))
        return any(line.startswith("sleep") for line in alive(mark))

    text = f"trap '' TERM; echo \"$0\"; sleep 300.{mark}; sleep 301.{mark}"
    result = run_script(
        sudoer.target, Script(text), Terms(output, 60, cancelled=cancelled)
    )
    assert result.status == "cancelled"
    assert "Its processes there have ended." in result.explanation
    assert (remaining(mark), seen) == ([], [])
    place = Path(output.of("stdout").decode().strip())
    assert place.name == "script.sh"
    assert not place.parent.exists()


@pytest.mark.parametrize("tag", ["", "NOPASSWD:"])
def test_a_file_is_put_where_only_root_may(
    sudoer: Sudoer, tmp_path: Path, tag: str
) -> None:
    sudoer.may(tag)
    folder = tmp_path / "of root"
    folder.mkdir(mode=0o700)
    content = os.urandom(100_000)
    digest = hashlib.sha256(content).hexdigest()
    source = tmp_path / "source"
    source.write_bytes(content)
    one = Delivery(source, digest, len(content), f"{folder}/file", "nobody", "", "0600")
    output = Output()
    result = put_files(sudoer.target, [one], Terms(output, 20))
    assert result.status == "ok", result.explanation
    assert (folder / "file").read_bytes() == content
    found = (folder / "file").stat()
    assert (found.st_uid != os.getuid(), found.st_mode & 0o7777) == (True, 0o600)
    assert [path.name for path in folder.iterdir()] == ["file"]
    result = put_files(sudoer.target, [one], Terms(output, 20))
    assert "1 unchanged" in result.explanation
    staged = Path("/tmp").glob(".adminset-*/*")  # noqa: S108 - where it was
    assert content not in map(content_of, staged)
    assert sudoer.password not in output.of("stdout").decode()

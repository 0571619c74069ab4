"""The processes of an Ansible run: nothing of ours in their environment, and words of the operator before them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.farm import SshFarm
from tests.tasks.doors import (
    COMMAND,
    Case,
    belonging,
    clean_case,
    remaining,
    sleeping,
)

OURS = (
    "SECRET_KEY",
    "DATABASE_URL",
    "REDIS_URL",
    "MONGO_URL",
    "DJANGO_SETTINGS_MODULE",
)
NOBODY = (65534, 65534)


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshFarm]:
    with SshFarm(1, tmp_path_factory.mktemp("farm")) as made:
        yield made


@pytest.fixture
def case(farm: SshFarm) -> Iterator[Case]:
    with clean_case(farm) as made:
        yield made


class Eyes:
    """Looks at the processes whose home is a run's private directory, five times a second."""

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.environments: dict[int, dict[str, str]] = {}
        self.lines: dict[int, list[str]] = {}
        self.users: set[str] = set()
        self.groups: set[int] = set()

    def look(self) -> bool:
        for process in psutil.process_iter():
            try:
                found = process.environ()
                if found.get("HOME", "").startswith(self.root):
                    self.environments[process.pid] = found
                    self.lines[process.pid] = process.cmdline()
                    self.users.add(process.username())
                    self.groups.add(os.getpgid(process.pid))
            except (psutil.Error, OSError):
                continue
        return False


def test_no_process_of_a_run_has_our_secrets_in_its_environment(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in OURS:
        monkeypatch.setenv(name, f"canary-of-{name}")
    monkeypatch.setenv("ADMINSET_ANYTHING", "canary-too")
    eyes = Eyes(case.root)
    text = COMMAND.format(command="sleep 1; env") + "    - debug: var=hostvars\n"
    result = case.playbook(text, cancelled=eyes.look)
    assert result.status == "ok", case.text()
    programs = {Path(word).name for line in eyes.lines.values() for word in line[:2]}
    assert "ansible-playbook" in programs
    assert "ssh" in programs
    everything = repr(list(eyes.environments.values())) + repr(
        list(eyes.lines.values())
    )
    assert "canary" not in everything + case.text()
    names = {name for found in eyes.environments.values() for name in found}
    assert not names & {*OURS, "ADMINSET_ANYTHING", "PYTHONPATH", "VIRTUAL_ENV"}
    assert os.getpgid(0) not in eyes.groups


def test_a_wrapper_stands_before_the_process_of_a_run(case: Case) -> None:
    eyes = Eyes(case.root)
    wrapper = ("env", "WRAPPED={directory}")
    result = case.playbook(
        COMMAND.format(command="sleep 1"), wrapper=wrapper, cancelled=eyes.look
    )
    assert result.status == "ok", case.text()
    wrapped = {found.get("WRAPPED", "") for found in eyes.environments.values()}
    assert all(place.startswith(str(case.root)) for place in wrapped)


@pytest.mark.parametrize(
    ("wrapper", "words"),
    [
        (("/no/such/wrapper",), "could not be started: No such file"),
        (("false",), "ended unexpectedly"),
    ],
)
def test_a_wrapper_that_does_not_work_fails_the_run_with_words(
    case: Case, wrapper: tuple[str, ...], words: str
) -> None:
    result = case.playbook(COMMAND.format(command="true"), wrapper=wrapper)
    assert result.status == "failed"
    assert words in result.explanation
    assert {host.status for host in result.hosts.values()} == {"not_started"}
    assert belonging(case.root) == []


def test_a_run_as_another_user_reads_nothing_of_the_portal(
    case: Case, tmp_path: Path
) -> None:
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("another user's process is started by root only (setpriv)")
    change: tuple[str, ...] = (
        "setpriv",
        f"--reuid={NOBODY[0]}",
        f"--regid={NOBODY[1]}",
        "--clear-groups",
    )
    start = "import subprocess; subprocess.run(['ansible-playbook', '--version'])"
    able = subprocess.run(
        [*change, sys.executable, "-c", start], capture_output=True, check=False
    )
    if able.returncode:
        # The program lies in root's home here: the run may read it all, which shows everything but what it may not read.
        change += ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
    secret = tmp_path / "env"
    secret.write_text("SECRET_KEY=canary")
    secret.chmod(0o600)
    case.root.chmod(0o711)
    eyes = Eyes(case.root)
    text = (
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - command: sleep 1\n"
        f"    - debug: msg=\"{{{{ lookup('file', '{secret}', errors='warn') }}}}\"\n"
    )
    result = case.playbook(text, wrapper=change, owner=NOBODY, cancelled=eyes.look)
    assert able.returncode or "canary" not in case.text()
    assert "nobody" in eyes.users
    assert result.hosts["host0"].ok >= 1, result.explanation


def test_bubblewrap_hides_folders_of_the_portal(case: Case, tmp_path: Path) -> None:
    if shutil.which("bwrap") is None:
        pytest.skip("bwrap is missing: apt-get install bubblewrap")
    (tmp_path / "secret").write_text("canary")
    base: tuple[str, ...] = (
        "bwrap",
        "--ro-bind",
        "/",
        "/",
        "--dev",
        "/dev",
        "--unshare-pid",
    )
    base += ("--proc", "/proc", "--tmpfs", str(tmp_path))
    if subprocess.run([*base, "true"], check=False).returncode:
        pytest.skip("bwrap may not make namespaces here")
    bound = ("--bind", "{directory}", "{directory}", "--bind", "{sockets}", "{sockets}")
    text = f"- hosts: all\n  gather_facts: false\n  tasks:\n    - debug: msg=\"{{{{ lookup('file', '{tmp_path}/secret', errors='ignore') }}}}\"\n"
    result = case.playbook(text, wrapper=(*base, *bound))
    assert result.status == "ok", case.text()
    assert "canary" not in case.text()


def test_cancel_reaches_the_hosts_out_of_a_pid_namespace(case: Case) -> None:
    wrapper = ("unshare", "--pid", "--fork", "--mount-proc")
    if os.getuid() != 0 or subprocess.run([*wrapper, "true"], check=False).returncode:
        pytest.skip("no pid namespace can be made here")
    mark = str(time.monotonic_ns())
    text = COMMAND.format(command=f"sleep 300.{mark}; echo")
    result = case.playbook(text, wrapper=wrapper, cancelled=lambda: sleeping(mark, 1))
    assert result.explanation == "Cancelled."
    assert remaining(mark) == []

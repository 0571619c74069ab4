"""What the tests of both doors share: cases, and eyes for processes."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tasks.ansible import RunEvent, RunOptions, RunResult, run_module, run_playbook
from tasks.ssh.commands import run_command
from tasks.ssh.terms import Terms
from tasks.targets import (
    CommandResult,
    Target,
)
from tests.farm import SshFarm


class Output:
    """Collects what a command prints, with the time of each piece."""

    def __init__(self) -> None:
        self.pieces: list[tuple[str, bytes, float]] = []

    def __call__(self, data: bytes, stream: str) -> None:
        self.pieces.append((stream, data, time.monotonic()))

    def of(self, stream: str) -> bytes:
        return b"".join(data for name, data, _ in self.pieces if name == stream)


def content_of(file: Path) -> bytes:
    """Give the bytes of a file that may go at any moment; none of one that went, or is a folder."""
    try:
        return file.read_bytes()
    except OSError:
        return b""


def run(
    target: Target, command: str, **options: object
) -> tuple[CommandResult, Output]:
    output = Output()
    options = {"timeout": 20, "connect_timeout": 5, "on_output": output} | options
    return run_command(target, command, Terms(**options)), output  # type: ignore[arg-type]


def alive(marker: str) -> list[str]:
    """Return the command lines of processes that carry a marker."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or [])
        if marker in line and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(line)
    return found


def remaining(marker: str, seconds: float = 10) -> list[str]:
    """Return what of a marker is still there after a while: a login shell needs a moment to see that its command is gone."""
    deadline = time.monotonic() + seconds
    while (found := alive(marker)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def wait_until(condition: object, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


COMMAND = """
- hosts: all
  gather_facts: false
  tasks:
    - name: work
      shell: {command}
"""


class Case:
    """A farm of two hosts, and a way to run on it that keeps all events."""

    def __init__(self, farm: SshFarm, root: Path) -> None:
        self.farm = farm
        self.root = root
        self.targets = farm.targets()
        self.events: list[RunEvent] = []

    def options(self, **changes: object) -> RunOptions:
        return RunOptions(self.root, **({"timeout": 90.0} | changes))  # type: ignore[arg-type]

    def playbook(
        self, text: str, targets: list[Target] | None = None, **changes: object
    ) -> RunResult:
        watch = {key: changes.pop(key) for key in ("cancelled",) if key in changes}
        return run_playbook(
            self.targets if targets is None else targets,
            text,
            self.options(**changes),
            on_event=self.events.append,
            **watch,  # type: ignore[arg-type]
        )

    def module(self, module: str, arguments: str, *targets: Target) -> RunResult:
        chosen = list(targets) or self.targets
        options = self.options()
        return run_module(
            chosen, module, arguments, options, on_event=self.events.append
        )

    def text(self) -> str:
        return "\n".join(event.text for event in self.events)


def passing_password(password: str) -> list[str]:
    """Return the shared memory by which Ansible passes this password to ssh."""
    needle = password.encode()
    paths = Path("/dev/shm").glob("psm_*")  # noqa: S108 - where it lies on Linux
    return [str(path) for path in paths if needle in path.read_bytes()]


def belonging(root: Path) -> list[str]:
    """Return the command lines of processes whose home is below `root`."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        home = (process.info["environ"] or {}).get("HOME", "")
        if home.startswith(str(root)):
            found.append(" ".join(process.info["cmdline"] or []))
    return found


def sleeping(mark: str, count: int = 2) -> bool:
    lines = [line for line in alive(mark) if line.startswith("sleep")]
    return len(lines) >= count


@contextmanager
def clean_case(farm: SshFarm) -> Iterator[Case]:
    """Give a case, and check afterwards that it left nothing behind."""
    root = Path(tempfile.mkdtemp(prefix="ans"))
    yield Case(farm, root)
    left = [str(path) for path in root.rglob("*")]
    shutil.rmtree(root)
    assert left == [], "the private directory was not wiped"
    assert belonging(root) + remaining(str(root)) == []

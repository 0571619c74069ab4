"""A playbook of ten tasks on ten hosts: the portal's lane against the ansible-playbook command line, turn by turn."""

import re
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
from django.conf import settings

from tasks.ansible import PlayOptions, RunEvent, RunOptions, run_playbook
from tasks.ansible_files import environment, run_files
from tasks.ansible_stop import family, stop
from tasks.models import Run
from tasks.output import Hints
from tasks.services.ansible_lane import _Output
from tests.bench.figures import Figure
from tests.farm import SshFarm

HOSTS, ROUNDS, FORKS = 10, 3, 10
PRINTED = re.compile(r'"stdout": "printed-([\d.]+)"')
PLAYBOOK = """
- hosts: all
  gather_facts: false
  vars: {place: "FOLDER/{{ inventory_hostname }}"}
  tasks:
    - ping:
    - shell: date +printed-%s.%N
    - file: {path: "{{ place }}", state: directory}
    - copy: {content: "one\\n", dest: "{{ place }}/file"}
    - lineinfile: {path: "{{ place }}/file", line: two}
    - stat: {path: "{{ place }}/file"}
    - command: uname -a
    - slurp: {src: "{{ place }}/file"}
    - find: {paths: "{{ place }}"}
    - file: {path: "{{ place }}", state: absent}
"""


@dataclass
class _Seen:
    """What came of one run in the portal."""

    seconds: float = 0.0
    delays: list[float] = field(default_factory=list)
    memory: int = 0


def run(folder: Path) -> list[Figure]:
    """Warm up with a run that looks at the memory; then both in turn, the first of a round by turns too."""
    settings.RUN_DIR = folder / "runs"
    text = PLAYBOOK.replace("FOLDER", str(folder / "work"))
    (folder / "work").mkdir()
    ours: list[_Seen] = []
    plain: list[float] = []
    with SshFarm(HOSTS, folder / "farm") as farm:
        warm = _ours(farm, folder, text, watched=True)
        for number in range(ROUNDS):
            turns: list[Callable[[], None]] = [
                lambda: ours.append(_ours(farm, folder, text)),
                lambda: plain.append(_command_line(farm, folder, text)),
            ]
            for turn in turns[:: 1 if number % 2 else -1]:
                turn()
    mine = statistics.median(one.seconds for one in ours)
    theirs = statistics.median(plain)
    delay = max(delay for one in ours for delay in one.delays)
    yardstick = f"{theirs:.1f} s by the ansible-playbook command line, {HOSTS} hosts, 10 tasks, same options"
    return [
        Figure("playbook", mine, "s", yardstick=yardstick),
        Figure(
            "playbook against ansible-playbook", mine / theirs, "x", "1.05 (issue 6)"
        ),
        Figure("playbook line to its watcher, longest", delay, "s", "1 (issue 6)"),
        Figure("playbook processes, most at a time", warm.memory / 2**20, "MiB (PSS)"),
    ]


def _options(folder: Path) -> RunOptions:
    play = PlayOptions(verbosity=1)
    return RunOptions(folder / "private", timeout=600.0, forks=FORKS, play=play)


def _ours(farm: SshFarm, folder: Path, text: str, *, watched: bool = False) -> _Seen:
    """Run it as the lane does, its output into files."""
    seen = _Seen()
    targets = farm.targets()
    number = time.monotonic_ns()
    rows: dict[str, Any] = {
        one.name: SimpleNamespace(pk=i) for i, one in enumerate(targets)
    }
    count = len(targets)
    run_row = SimpleNamespace(pk=number, kind=Run.Kind.PLAYBOOK, host_count=count)
    job: Any = SimpleNamespace(run=run_row, hints=Hints(number))
    output = _Output(job, rows)

    def take(event: RunEvent) -> None:
        output.take(event)
        if found := PRINTED.search(event.text):
            seen.delays.append(time.time() - float(found[1]))

    def look() -> bool:
        if watched:
            seen.memory = max(seen.memory, _memory())
        return False

    before = time.monotonic()
    result = run_playbook(
        targets, text, _options(folder), on_event=take, cancelled=look
    )
    seen.seconds = time.monotonic() - before
    if result.status != "ok":
        raise RuntimeError(result.explanation)
    return seen


def _memory() -> int:
    """Give the memory of the processes below this one but the servers, what they share counted once."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            if not process.name().startswith("sshd") and "ansible" in repr(
                process.cmdline()
            ):
                total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def _command_line(farm: SshFarm, folder: Path, text: str) -> float:
    """Run the same inventory with the same settings by ansible-playbook; give the seconds until it ends."""
    options = _options(folder)
    with run_files(farm.targets(), options, become=False) as files:
        files.finish(text, None)
        words = ["ansible-playbook", "-i", str(files.inventory())]
        words += [*options.play.words(), "--forks", str(FORKS), "play.yml"]
        with (folder / "plain.log").open("wb") as log:
            before = time.monotonic()
            process = subprocess.Popen(
                words,
                cwd=files.directory / "project",
                env=environment(files, "default", options),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            code = process.wait()
            seconds = time.monotonic() - before
        # ssh keeps its connections for a minute: the next turn shall make its own.
        kept = [
            one for one in psutil.process_iter() if str(files.directory) in _line(one)
        ]
        stop({*kept, *family(process.pid)})
    if code:
        raise RuntimeError((folder / "plain.log").read_text()[-2000:])
    return seconds


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""

"""The door to hosts by Ansible: the one file that imports ansible_runner.

A run happens in a child process (`python -m tasks.ansible`) with an environment made
from nothing, a session of its own and a private directory: ansible_runner copies
os.environ into the run, so only a process without our secrets keeps them out of it.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import re
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import ansible_runner
import psutil

from tasks.ansible_files import (
    GROUP,
    RunFiles,
    environment,
    run_files,
    unsafe,
    wipe,
    write_private,
)
from tasks.ansible_messages import LONGEST_MESSAGE, event_message
from tasks.ansible_results import (
    End,
    HostResult,
    Reason,
    RunEvent,
    RunResult,
    Tally,
)
from tasks.ansible_stop import family, stop
from tasks.modules import is_control
from tasks.targets import Target

__all__ = [
    "HostResult",
    "RunEvent",
    "RunOptions",
    "RunResult",
    "run_module",
    "run_playbook",
]

PROJECT = Path(__file__).resolve().parent.parent
MODULE_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
TICK_SECONDS = 0.2
CENSUS_SECONDS = 1.0
PR_SET_CHILD_SUBREAPER = 36

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunOptions:
    """How to run: where the private directory goes, and the limits in seconds.

    `check` asks modules to change nothing; `forks` hosts are worked on at once.
    """

    private_root: Path
    timeout: float
    forks: int = 10
    check: bool = False
    connect_timeout: float = 10.0


@dataclass(frozen=True)
class _Watch:
    """Who follows a run, and who may end it."""

    on_event: Callable[[RunEvent], None]
    cancelled: Callable[[], bool]


def run_playbook(
    targets: Sequence[Target],
    playbook_text: str,
    options: RunOptions,
    *,
    on_event: Callable[[RunEvent], None],
    cancelled: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Run a playbook on hosts and report each event as it comes.

    The inventory holds the targets only, in the group "targets"; a playbook says
    `hosts: all`. `cancelled` is asked five times a second; an event's text is cut at
    64 KiB. Never raises for what hosts, playbook or `on_event` do: the result says
    it. Raises OSError when the private directory cannot be made.
    """
    watch = _Watch(on_event, cancelled)
    with run_files(targets, options.private_root, become=False) as files:
        return _run(files, playbook_text, "default", options, watch)


def run_module(
    targets: Sequence[Target],
    module: str,
    arguments: str,
    options: RunOptions,
    *,
    on_event: Callable[[RunEvent], None],
    cancelled: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Run one Ansible module on hosts, as `ansible -m module -a arguments` does.

    Templates in `arguments` are not evaluated. Becomes root where the login says how.
    Takes, returns and raises the same as `run_playbook` otherwise.
    """
    if refusal := _module_refusal(module, arguments):
        return RunResult("failed", refusal, {})
    play = {
        "hosts": GROUP,
        "gather_facts": False,
        "tasks": [{"name": module, module: unsafe(arguments)}],
    }
    watch = _Watch(on_event, cancelled)
    with run_files(targets, options.private_root, become=True) as files:
        return _run(files, json.dumps([play]), "minimal", options, watch)


def _module_refusal(module: str, arguments: str) -> str:
    if not MODULE_NAME.fullmatch(module):
        return (
            f"{module!r} is no name of an Ansible module. Write it in small letters, "
            "digits, _ and dots, as in ansible.builtin.service."
        )
    if is_control(module):
        return f"{module} is no module that runs on a host. Write a playbook for it."
    if arguments.lstrip().startswith("-") or "\0" in arguments:
        return "The arguments of a module cannot start with a dash or hold a NUL."
    return ""


# The side of the portal


def _run(
    files: RunFiles,
    playbook: str,
    callback: str,
    options: RunOptions,
    watch: _Watch,
) -> RunResult:
    secrets = [text for one in files.targets.values() for text in one.login.secrets()]
    prefix = f"{files.directory}/project/"
    tally = Tally(files.targets, secrets, prefix, watch.on_event)
    if not files.targets:
        words = "None of the chosen hosts could be started." if files.refused else ""
        complaint = words or "No host was chosen. Choose at least one."
        if not files.refused:
            return RunResult("failed", complaint, {})
        return RunResult("unreachable", complaint, files.refused)
    write_private(files.directory / "project" / "play.yml", playbook)
    child = _Child(files, environment(files, callback, options.connect_timeout))
    child.tell({"forks": options.forks, "check": options.check})
    return tally.result(_follow(child, tally, options, watch), files.refused)


def _follow(child: _Child, tally: Tally, options: RunOptions, watch: _Watch) -> End:
    """Pass events on until the run ends, or somebody or the clock ends it."""
    deadline = time.monotonic() + options.timeout
    code: int | None = None
    try:
        for message in child.messages():
            if message is None and watch.cancelled():
                return _cut_off(child, "cancelled", "Cancelled.")
            if time.monotonic() > deadline:
                words = f"Not finished within the time-out of {options.timeout:g} s."
                return _cut_off(child, "timed_out", words)
            if message is not None:
                code = message.get("exit_code", code)
                tally.take(message)
    except Exception:
        logger.exception("the receiver of a run's events failed")
        words = "The portal could not take in the output, so the run was ended."
        return _cut_off(child, "broken", words)
    if code is None:
        words = f"The process of the run ended unexpectedly: {child.last_words()}"
        return _cut_off(child, "broken", tally.masked(words))
    child.stop(in_flight=False)
    return End("ended", code, _complaint(tally.complaints))


def _cut_off(child: _Child, reason: Reason, words: str) -> End:
    doubtful = child.stop(in_flight=True)
    if doubtful:
        names = ", ".join(doubtful)
        words = f"{words} Look on these hosts, they did not confirm the end: {names}."
    return End(reason, None, words)


def _complaint(lines: list[str]) -> str:
    """Return what Ansible said last and loudest, from its first word of an error."""
    text = "\n".join(lines)
    start = max(text.rfind("[ERROR]"), text.rfind("ERROR!"))
    return text[start:].strip()[:LONGEST_MESSAGE] if start >= 0 else ""


class _Child:
    """The process of a run, and every process that was ever seen below it."""

    def __init__(self, files: RunFiles, values: dict[str, str]) -> None:
        self._files = files
        self._seen: set[psutil.Process] = set()
        self._counted = 0.0
        self._errors = files.directory / "errors"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tasks.ansible"],
                cwd=PROJECT,
                env=values,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def tell(self, job: dict[str, object]) -> None:
        """Give the child its work. Its stdin stays open: the end of it means our end."""
        files = self._files
        job = {
            **job,
            "directory": str(files.directory),
            "sockets": str(files.sockets),
            "notes": str(files.stop_notes()),
        }
        with suppress(OSError):
            _pipe(self._process.stdin).write(json.dumps(job).encode() + b"\n")
            _pipe(self._process.stdin).flush()

    def messages(self) -> Iterator[dict[str, Any] | None]:
        """Give each message of the child, and None five times a second in between."""
        pipe = _pipe(self._process.stdout)
        rest = b""
        ticked = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, selectors.EVENT_READ)
            while True:
                if time.monotonic() - ticked > TICK_SECONDS:
                    ticked = time.monotonic()
                    self._census()
                    yield None
                if not selector.select(TICK_SECONDS):
                    continue
                chunk = os.read(pipe.fileno(), 64 * 1024)
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)

    def _census(self) -> None:
        """Remember who is there, for the case that the child is killed under us."""
        if time.monotonic() - self._counted > CENSUS_SECONDS:
            self._counted = time.monotonic()
            self._seen |= family(self._process.pid)

    def stop(self, *, in_flight: bool) -> list[str]:
        """End all processes of the run; return hosts that did not confirm their end."""
        notes = self._files.stop_notes() if in_flight else None
        doubtful = stop(self._seen | family(self._process.pid), notes)
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                _pipe(pipe).close()
        self._process.wait()
        return doubtful

    def last_words(self) -> str:
        """Return the end of what the child wrote to stderr."""
        return self._errors.read_bytes()[-LONGEST_MESSAGE:].decode(errors="replace")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the child was started without this pipe")
    return pipe


# The side of the child


def main() -> None:
    """Run one playbook as the child of `_Child`: a job on stdin, events on stdout."""
    _adopt_orphans()
    job = json.loads(sys.stdin.buffer.readline())
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What a library prints must not get between the messages.
    os.dup2(2, 1)
    # Not a daemon: it must outlive the run to wipe what a lost portal cannot.
    threading.Thread(target=_end_with_parent, args=(job,)).start()
    try:
        _play(job, wire)
    except Exception:
        logger.exception("the run broke")
    finally:
        wire.close()


def _play(job: dict[str, Any], wire: IO[str]) -> None:

    def send(message: dict[str, Any]) -> None:
        wire.write(json.dumps(message, default=str) + "\n")
        wire.flush()

    def on_event(raw: dict[str, Any]) -> bool:
        send(event_message(raw))
        return False

    outcome = ansible_runner.run(
        private_data_dir=job["directory"],
        playbook="play.yml",
        inventory=f"{job['directory']}/inventory.json",
        forks=job["forks"],
        cmdline="--check" if job["check"] else None,
        settings={"pexpect_timeout": 1, "suppress_output_file": True},
        quiet=True,
        event_handler=on_event,
    )
    send({"exit_code": outcome.rc})


def _adopt_orphans() -> None:
    """Become the parent of all orphaned descendants, so that none leaves the family."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_with_parent(job: dict[str, str]) -> None:
    """End the run and wipe its directory when the portal's process is gone."""
    while os.read(0, 1):
        pass
    me = psutil.Process()
    stop(me.children(recursive=True), Path(job["notes"]))
    wipe(Path(job["directory"]), Path(job["sockets"]))
    os._exit(1)


if __name__ == "__main__":
    main()

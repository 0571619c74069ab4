"""The door to hosts by Ansible: modules, playbooks and roles on targets, each event as it comes, a result for each host.

A run happens in a child process (tasks.ansible_child) with an environment made from nothing, a session of its own and a
private directory that is wiped at the end.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tasks.ansible_files import RunFiles, run_files
from tasks.ansible_hosts import GROUP
from tasks.ansible_messages import LONGEST_MESSAGE
from tasks.ansible_modules import is_control
from tasks.ansible_options import PlayOptions, RunOptions
from tasks.ansible_process import Child
from tasks.ansible_results import (
    End,
    HostResult,
    Reason,
    RunEvent,
    RunResult,
    Tally,
)
from tasks.ansible_roles import check_roles, role_play, safe_name
from tasks.ansible_variables import check_variables, texts_in, unsafe
from tasks.ansible_words import hosts_of
from tasks.targets import Target

__all__ = [
    "HostResult",
    "PlayOptions",
    "RunEvent",
    "RunOptions",
    "RunResult",
    "run_module",
    "run_playbook",
    "run_role",
]

MODULE_NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")

logger = logging.getLogger(__name__)


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
    it. Raises OSError when the private directory cannot be made, DomainError for
    variables and roles that cannot be given.
    """
    _check(options)
    watch = _Watch(on_event, cancelled)
    with run_files(targets, options, become=False) as files:
        return _run(files, playbook_text, "default", options, watch)


def run_role(
    targets: Sequence[Target],
    name: str,
    role: Mapping[str, str],
    options: RunOptions,
    *,
    on_event: Callable[[RunEvent], None],
    cancelled: Callable[[], bool] = lambda: False,
) -> RunResult:
    """Run one role ({"tasks/main.yml": text}) on hosts; becomes root where the login says how.

    Takes, returns and raises the same as `run_playbook` otherwise.
    """
    plain = safe_name(name)
    options = replace(options, roles={**options.roles, plain: role})
    _check(options)
    facts = options.play.facts is not False
    watch = _Watch(on_event, cancelled)
    with run_files(targets, options, become=True) as files:
        return _run(files, role_play(plain, facts=facts), "default", options, watch)


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
    _check(options)
    play = {
        "hosts": GROUP,
        "gather_facts": bool(options.play.facts),
        "tasks": [{"name": module, module: unsafe(arguments)}],
    }
    watch = _Watch(on_event, cancelled)
    with run_files(targets, options, become=True) as files:
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


def _check(options: RunOptions) -> None:
    check_variables(options.variables, options.secrets)
    check_roles(options.roles)


def _secrets(files: RunFiles, options: RunOptions) -> list[str]:
    """Return every text that must not show: of the logins, of jump hosts on the way, of secret variables."""
    found = texts_in(options.secrets)
    for target in files.targets.values():
        way: Target | None = target
        while way is not None:
            found += way.login.secrets()
            way = way.jump
    return list(dict.fromkeys(found))


def _run(
    files: RunFiles,
    playbook: str,
    callback: str,
    options: RunOptions,
    watch: _Watch,
) -> RunResult:
    secrets = _secrets(files, options)
    place = f"{files.directory}/"
    tally = Tally(files.targets, secrets, place, watch.on_event, files.jump_words)
    if not files.targets:
        words = "None of the chosen hosts could be started." if files.refused else ""
        complaint = words or "No host was chosen. Choose at least one."
        if not files.refused:
            return RunResult("failed", complaint, {})
        return RunResult("unreachable", complaint, files.refused)
    try:
        files.finish(playbook, options.owner)
        child = Child(files, callback, options)
    except OSError as error:
        words = f"The process of the run could not be started: {error.strerror}."
        return tally.result(End("broken", None, words), files.refused)
    child.tell(options)
    return tally.result(_follow(child, tally, options, watch), files.refused)


def _follow(child: Child, tally: Tally, options: RunOptions, watch: _Watch) -> End:
    """Pass events on until the run ends, or somebody or the clock ends it."""
    clock = _Clock(options)
    code: int | None = None
    try:
        for message in child.messages():
            if message is None and watch.cancelled():
                return _cut_off(child, "cancelled", "Cancelled.")
            if reason := clock.over():
                words = f"{clock.words(reason)} {tally.waiting_for()}".strip()
                return _cut_off(child, reason, words)
            if message is not None:
                code = message.get("exit_code", code)
                clock.heard()
                tally.take(message)
    except Exception:
        logger.exception("the receiver of a run's events failed")
        words = "The portal could not take in the output, so the run was ended."
        return _cut_off(child, "broken", words)
    if code is None:
        said = child.last_words().strip() or "it was killed, or it broke."
        words = f"The process of the run ended unexpectedly: {said}"
        return _cut_off(child, "broken", tally.masked(words))
    child.stop(in_flight=False)
    return End("ended", code, _complaint(tally.complaints))


class _Clock:
    """Says when a run takes too long: in all, or without a word."""

    def __init__(self, options: RunOptions) -> None:
        self._options = options
        self._started = self._heard = time.monotonic()

    def heard(self) -> None:
        """Take note that something came."""
        self._heard = time.monotonic()

    def over(self) -> Reason | None:
        """Return which time-out has come."""
        now, idle = time.monotonic(), self._options.idle_timeout
        if now - self._started > self._options.timeout:
            return "timed_out"
        return "idle" if idle and now - self._heard > idle else None

    def words(self, reason: Reason) -> str:
        """Say it."""
        if reason == "idle":
            return f"No output for {self._options.idle_timeout:g} s."
        return f"Not finished within the time-out of {self._options.timeout:g} s."


def _cut_off(child: Child, reason: Reason, words: str) -> End:
    doubtful = child.stop(in_flight=True)
    if doubtful:
        many = hosts_of(len(doubtful))
        words = f"{words} The end was not confirmed by {many}: look there."
    return End(reason, None, words, frozenset(doubtful))


def _complaint(lines: list[str]) -> str:
    """Return what Ansible said last and loudest, from its first word of an error."""
    text = "\n".join(lines)
    start = max(text.rfind("[ERROR]"), text.rfind("ERROR!"))
    return text[start:].strip()[:LONGEST_MESSAGE] if start >= 0 else ""

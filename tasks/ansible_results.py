"""Turns Ansible's stream of events into a result for each host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from adminset.redaction import MASK, spellings
from tasks.ansible_words import (
    connect_limit,
    counts_sentence,
    failure_sentence,
    unreachable_sentence,
    waiting_sentence,
    without_names,
)
from tasks.targets import HostStatus, Target

RunStatus = Literal["ok", "failed", "unreachable", "timed_out", "cancelled"]
Reason = Literal["ended", "timed_out", "idle", "cancelled", "broken"]

ENDED: dict[str, HostStatus] = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_unreachable": "unreachable",
}
WORDS: dict[str, str] = {
    **ENDED,
    "runner_on_skipped": "skipped",
    "runner_on_start": "running",
    "runner_item_on_ok": "ok",
    "runner_item_on_failed": "failed",
    "runner_item_on_skipped": "skipped",
    "runner_retry": "retrying",
}
NOBODY = "The playbook addressed none of the chosen hosts. Write `hosts: all`."
STATISTICS = ("ok", "changed", "failures", "skipped", "ignored", "rescued")
LIMITS: dict[str, str] = {"timed_out": "host", "idle": "idle"}
DONE = frozenset({*ENDED, "runner_on_skipped"})


@dataclass(frozen=True)
class RunEvent:
    """One thing that Ansible reported; `text` is what it printed, secrets masked.

    `kind` is ansible-runner's name of the event, `status` one of ok, changed, failed,
    unreachable, skipped, running, retrying, or empty when it is about no host.
    """

    kind: str
    host: str | None
    task: str | None
    status: str
    text: str
    counter: int


@dataclass(frozen=True)
class HostResult:
    """How a run ended on one host; the counts are numbers of tasks.

    `limit` is the time-out that ended it: connect, idle, host, or empty.
    """

    status: HostStatus
    explanation: str
    ok: int = 0
    changed: int = 0
    failures: int = 0
    skipped: int = 0
    exit_code: int | None = None
    ignored: int = 0
    rescued: int = 0
    limit: str = ""


@dataclass(frozen=True)
class RunResult:
    """How a run ended: in one word, in a sentence, and on each host by its name."""

    status: RunStatus
    explanation: str
    hosts: Mapping[str, HostResult]


@dataclass(frozen=True)
class End:
    """How Ansible itself ended: in time or not, with which code, saying what.

    `doubtful` are the labels of hosts that did not confirm that what ran there has ended.
    """

    reason: Reason
    exit_code: int | None = None
    complaint: str = ""
    doubtful: frozenset[str] = frozenset()


class Tally:
    """Counts events for each host; `targets` are keyed by their inventory name.

    `private_path` is cut out of all texts: it is gone when somebody reads them. `jump_words` gives what ssh said of the
    way to a target.
    """

    def __init__(
        self,
        targets: Mapping[str, Target],
        secrets: Iterable[str],
        private_path: str,
        on_event: Callable[[RunEvent], None],
        jump_words: Callable[[Target], str] = lambda target: "",
    ) -> None:
        self._targets = targets
        self._jump_words = jump_words
        # Once, and not for each event: a key of many lines has many spellings.
        self._forms = spellings(secrets)
        self._private_path = private_path
        self._on_event = on_event
        self._results = {
            name: HostResult("not_started", f"{target.label} was not started.")
            for name, target in targets.items()
        }
        self._complete: set[str] = set()
        # The task that a host works on, by the host's inventory name.
        self._busy: dict[str, str] = {}
        self.complaints: list[str] = []

    def take(self, raw: Mapping[str, Any]) -> None:
        """Count one event of the child process and hand it on, secrets masked."""
        if "exit_code" in raw:
            return
        text = self.masked(str(raw.get("text", "")))
        kind, name = str(raw.get("kind", "")), raw.get("host")
        if kind in ("verbose", "error") and text.strip():
            self.complaints = [*self.complaints, text][-50:]
        if name in self._results:
            self._note(kind, str(name), raw)
            self._results[name] = self._next(kind, str(name), raw)
        for host, counts in (raw.get("stats") or {}).items():
            if host in self._results:
                self._finish(host, counts)
        self._on_event(self._event(kind, name, text, raw))

    def _event(
        self, kind: str, name: object, text: str, raw: Mapping[str, Any]
    ) -> RunEvent:
        target, task = self._targets.get(str(name)), raw.get("task")
        return RunEvent(
            kind,
            target.name if target else None,
            self.masked(str(task)) if task else None,
            "changed" if raw.get("changed") else WORDS.get(kind, ""),
            text,
            int(raw.get("counter", 0)),
        )

    def masked(self, text: str) -> str:
        """Return a text without the secrets and private paths of this run."""
        text = text.replace(f"{self._private_path}project/", "")
        text = text.replace(self._private_path, "")
        for form in self._forms:
            text = text.replace(form, MASK)
        return text

    def waiting_for(self) -> str:
        """Say which tasks have not returned, and on how many hosts."""
        return waiting_sentence(self._busy.values())

    def _note(self, kind: str, name: str, raw: Mapping[str, Any]) -> None:
        if kind == "runner_on_start":
            self._busy[name] = self.masked(str(raw.get("task") or "?"))
        elif kind in DONE:
            self._busy.pop(name, None)

    def _next(self, kind: str, name: str, raw: Mapping[str, Any]) -> HostResult:
        was, label = self._results[name], self._targets[name].label
        if kind == "runner_on_start":
            return replace(was, status="cancelled") if _fresh(was) else was
        if kind == "runner_on_ok":
            changed = was.changed + bool(raw.get("changed"))
            code = raw.get("rc", was.exit_code)
            return replace(was, ok=was.ok + 1, changed=changed, exit_code=code)
        if kind == "runner_on_skipped":
            return replace(was, skipped=was.skipped + 1)
        if kind == "runner_on_failed" and not raw.get("ignored"):
            return self._failed(was, label, raw)
        if kind == "runner_on_unreachable":
            message = self.masked(str(raw.get("message", "")))
            target = self._targets[name]
            on_the_way = self.masked(self._jump_words(target))
            words = unreachable_sentence(target, message, on_the_way)
            limit = connect_limit(message)
            return replace(was, status="unreachable", explanation=words, limit=limit)
        return was

    def _failed(
        self, was: HostResult, label: str, raw: Mapping[str, Any]
    ) -> HostResult:
        message = self.masked(str(raw.get("message") or "no message"))
        task = self.masked(str(raw.get("task") or "?"))
        return replace(
            was,
            status="failed",
            explanation=failure_sentence(label, task, message),
            failures=was.failures + 1,
            exit_code=raw.get("rc", was.exit_code),
        )

    def _finish(self, name: str, counts: Mapping[str, int]) -> None:
        """Take Ansible's own count at the end: it knows what was rescued or ignored."""
        self._complete.add(name)
        was, label = self._results[name], self._targets[name].label
        said = counts_sentence(counts)
        status: HostStatus = "ok"
        words = f"All went well on {label}. {said}"
        if counts.get("dark"):
            status, words = "unreachable", was.explanation
        elif counts.get("failures"):
            status, words = "failed", f"{was.explanation.rstrip(' .')}. {said}"
        numbers: dict[str, Any] = {key: int(counts.get(key, 0)) for key in STATISTICS}
        self._results[name] = replace(was, status=status, explanation=words, **numbers)

    def result(self, end: End, refused: Mapping[str, HostResult]) -> RunResult:
        """Return the result of the run, its sentence without names; `refused` are hosts that were never asked."""
        hosts = dict(refused)
        for name, target in self._targets.items():
            hosts[target.name] = self._doubted(self._settled(name, end), name, end)
        words = without_names(end.complaint, self._targets.values())
        end = replace(end, complaint=words)
        nobody = all(one.status == "not_started" for one in self._results.values())
        if end.reason == "ended" and end.exit_code and nobody:
            return RunResult("failed", _own_failure(end), hosts)
        return RunResult(*_verdict(hosts, end), hosts)

    def _settled(self, name: str, end: End) -> HostResult:
        """Give a host that was cut off the word for what cut it off."""
        was, label = self._results[name], self._targets[name].label
        if name in self._complete or was.status != "cancelled":
            return was
        task = self._busy.get(name)
        doing = f" “{task}” had not returned." if task else ""
        if end.reason in LIMITS:
            words = f"{label} had not finished when the time-out came.{doing}"
            limit = LIMITS[end.reason]
            return replace(was, status="timed_out", explanation=words, limit=limit)
        if end.reason == "cancelled":
            return replace(
                was, explanation=f"Cancelled while it ran on {label}.{doing}"
            )
        words = f"Ansible ended before {label} had finished."
        return replace(was, status="failed", explanation=words)

    def _doubted(self, result: HostResult, name: str, end: End) -> HostResult:
        if self._targets[name].label not in end.doubtful:
            return result
        words = "It did not confirm that what ran there has ended: look on the host."
        return replace(result, explanation=f"{result.explanation} {words}")


def _fresh(result: HostResult) -> bool:
    """Say whether a host has only not started: then "cancelled" until it ends."""
    return result.status == "not_started"


def _verdict(hosts: Mapping[str, HostResult], end: End) -> tuple[RunStatus, str]:
    if end.reason == "broken":
        return "failed", end.complaint
    if end.reason in LIMITS:
        return "timed_out", end.complaint
    if end.reason == "cancelled":
        return "cancelled", end.complaint
    statuses = [host.status for host in hosts.values()]
    words = {status: statuses.count(status) for status in dict.fromkeys(statuses)}
    counts = ", ".join(
        f"{number} {status.replace('_', ' ')}" for status, number in words.items()
    )
    summary = f"{len(statuses)} hosts: {counts}."
    if "failed" in words:
        return "failed", summary
    if "unreachable" in words:
        return "unreachable", summary
    if end.exit_code:
        return "failed", _own_failure(end)
    if "ok" not in words:
        return "failed", NOBODY
    return "ok", summary


def _own_failure(end: End) -> str:
    return end.complaint or f"Ansible ended with code {end.exit_code}."

"""Turns Ansible's stream of events into a result for each host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from adminset.redaction import redact
from tasks.targets import HostStatus, Target, changed_key_sentence, pinned_key

RunStatus = Literal["ok", "failed", "unreachable", "timed_out", "cancelled"]
Reason = Literal["ended", "timed_out", "cancelled", "broken"]

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
STATISTICS = ("ok", "changed", "failures", "skipped")


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
    """How a run ended on one host; the counts are numbers of tasks."""

    status: HostStatus
    explanation: str
    ok: int = 0
    changed: int = 0
    failures: int = 0
    skipped: int = 0
    exit_code: int | None = None


@dataclass(frozen=True)
class RunResult:
    """How a run ended: in one word, in a sentence, and on each host by its name."""

    status: RunStatus
    explanation: str
    hosts: Mapping[str, HostResult]


@dataclass(frozen=True)
class End:
    """How Ansible itself ended: in time or not, with which code, saying what."""

    reason: Reason
    exit_code: int | None = None
    complaint: str = ""


class Tally:
    """Counts events for each host; `targets` are keyed by their inventory name.

    `private_path` is cut out of all texts: it is gone when somebody reads them.
    """

    def __init__(
        self,
        targets: Mapping[str, Target],
        secrets: Iterable[str],
        private_path: str,
        on_event: Callable[[RunEvent], None],
    ) -> None:
        self._targets = targets
        self._secrets = list(secrets)
        self._private_path = private_path
        self._on_event = on_event
        self._results = {
            name: HostResult("not_started", f"{target.label} was not started.")
            for name, target in targets.items()
        }
        self._complete: set[str] = set()
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
            self._results[name] = self._next(kind, str(name), raw)
        for host, counts in (raw.get("stats") or {}).items():
            if host in self._results:
                self._finish(host, counts)
        target = self._targets.get(str(name))
        task = raw.get("task")
        self._on_event(
            RunEvent(
                kind,
                target.name if target else None,
                self.masked(str(task)) if task else None,
                "changed" if raw.get("changed") else WORDS.get(kind, ""),
                text,
                int(raw.get("counter", 0)),
            )
        )

    def masked(self, text: str) -> str:
        """Return a text without the secrets and private paths of this run."""
        return redact(text.replace(self._private_path, ""), self._secrets)

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
            words = self._unreachable(name, self.masked(str(raw.get("message", ""))))
            return replace(was, status="unreachable", explanation=words)
        return was

    def _failed(
        self, was: HostResult, label: str, raw: Mapping[str, Any]
    ) -> HostResult:
        message = self.masked(str(raw.get("message") or "no message"))
        task = self.masked(str(raw.get("task") or "?"))
        words = f"Task “{task}” failed on {label}: {message}"
        failures = was.failures + 1
        return replace(
            was,
            status="failed",
            explanation=words,
            failures=failures,
            exit_code=raw.get("rc", was.exit_code),
        )

    def _unreachable(self, name: str, message: str) -> str:
        """Say a host key's case as the SSH door says it, else give ssh's own words."""
        target = self._targets[name]
        changed = "IDENTIFICATION HAS CHANGED" in message
        if changed or "no matching host key type" in message:
            words = [word.rstrip(".") for word in message.split()]
            offered = [word for word in words if word.startswith("SHA256:")]
            pinned = pinned_key(target)
            return changed_key_sentence(target, pinned, (offered or [""])[0])
        first = " ".join(message.split())
        return f"{target.label} could not be reached: {first}"

    def _finish(self, name: str, counts: Mapping[str, int]) -> None:
        """Take Ansible's own count at the end: it knows what was rescued or ignored."""
        self._complete.add(name)
        was, label = self._results[name], self._targets[name].label
        status: HostStatus = "ok"
        words = f"All tasks ended well on {label}."
        if counts.get("dark"):
            status, words = "unreachable", was.explanation
        elif counts.get("failures"):
            status, words = "failed", was.explanation
        numbers = {key: int(counts.get(key, 0)) for key in STATISTICS}
        self._results[name] = replace(was, status=status, explanation=words, **numbers)

    def result(self, end: End, refused: Mapping[str, HostResult]) -> RunResult:
        """Return the result of the run; `refused` are hosts that were never asked."""
        hosts = dict(refused)
        for name, target in self._targets.items():
            hosts[target.name] = self._settled(name, end)
        nobody = all(one.status == "not_started" for one in self._results.values())
        if end.reason == "ended" and end.exit_code and nobody:
            return RunResult("failed", _own_failure(end), hosts)
        return RunResult(*_verdict(hosts, end), hosts)

    def _settled(self, name: str, end: End) -> HostResult:
        """Give a host that was cut off the word for what cut it off."""
        was, label = self._results[name], self._targets[name].label
        if name in self._complete or was.status != "cancelled":
            return was
        if end.reason == "timed_out":
            words = f"{label} had not finished when the time-out came."
            return replace(was, status="timed_out", explanation=words)
        if end.reason == "cancelled":
            return replace(was, explanation=f"Cancelled while it ran on {label}.")
        words = f"Ansible ended before {label} had finished."
        return replace(was, status="failed", explanation=words)


def _fresh(result: HostResult) -> bool:
    """Say whether a host has only not started: then "cancelled" until it ends."""
    return result.status == "not_started"


def _verdict(hosts: Mapping[str, HostResult], end: End) -> tuple[RunStatus, str]:
    if end.reason == "broken":
        return "failed", end.complaint
    if end.reason != "ended":
        return end.reason, end.complaint
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

"""Sentences about how Ansible ended on hosts: counts of tasks, what has not returned, why a host was not reached."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from tasks.ansible_jump import ALIAS
from tasks.targets import Target, changed_key_sentence, pinned_key

COUNTED = {
    "ok": "ok",
    "changed": "changed",
    "skipped": "skipped",
    "failures": "failed",
    "dark": "unreachable",
    "ignored": "ignored",
    "rescued": "rescued",
}
NO_TERMINAL = (
    "sudo wants a terminal there (`Defaults requiretty`), which pipelining does not give: "
    "remove that line on the host, or set `ansible_pipelining: false` in the play."
)


def counts_sentence(counts: Mapping[str, int]) -> str:
    """Say how many tasks ended how: "Tasks: 3 ok, 1 changed."."""
    parts = [
        f"{counts[kind]} {word}" for kind, word in COUNTED.items() if counts.get(kind)
    ]
    return f"Tasks: {', '.join(parts) or 'none'}."


def waiting_sentence(tasks: Iterable[str]) -> str:
    """Say which tasks have not returned, each named once for every host; on which hosts it is, only these say."""
    return " ".join(
        f"“{task}” has not returned on {hosts_of(count)}."
        for task, count in Counter(tasks).items()
    )


def hosts_of(count: int) -> str:
    """Say how many hosts: "1 host", "3 hosts"."""
    return f"{count} host{'s' * (count != 1)}"


def without_names(text: str, targets: Iterable[Target]) -> str:
    """Give a text without names and addresses of hosts: who sees a run does not see all of its hosts."""
    names = {name for one in targets for name in (one.name, one.label, one.address)}
    longest_first = sorted(filter(None, names), key=len, reverse=True)
    if not longest_first:
        return text
    any_name = "|".join(map(re.escape, longest_first))
    return re.sub(rf"(?<![\w.-])(?:{any_name})(?![\w-]|\.\w)", "(a host)", text)


def failure_sentence(label: str, task: str, message: str) -> str:
    """Say which task failed, with what it said; names what is to be done about a missing terminal."""
    words = f"Task “{task}” failed on {label}: {message}"
    return f"{words} {NO_TERMINAL}" if _wants_terminal(message) else words


def _wants_terminal(message: str) -> bool:
    return "sudo" in message and "must have a tty" in message


def unreachable_sentence(target: Target, message: str, on_the_way: str = "") -> str:
    """Say a host key's case as the SSH door says it, else give ssh's own words; `on_the_way` are those about jump hosts."""
    changed = "IDENTIFICATION HAS CHANGED"
    first = " ".join(message.split())
    if target.jump is not None and (on_the_way or ALIAS in message):
        said = " ".join(f"{message} {on_the_way}".split())
        what = " The key of a jump host changed:" if changed in said else ""
        way = ", ".join(jump.label for jump in jumps_of(target))
        return f"{target.label} could not be reached through {way}.{what} {said}"
    if changed in message or "no matching host key type" in message:
        words = [word.rstrip(".") for word in message.split()]
        offered = [word for word in words if word.startswith("SHA256:")]
        return changed_key_sentence(target, pinned_key(target), (offered or [""])[0])
    return f"{target.label} could not be reached: {first}"


def connect_limit(message: str) -> str:
    """Say whether it was the time-out of the connection ("connect"), or nothing."""
    return "connect" if "timed out" in message.lower() else ""


def jumps_of(target: Target) -> list[Target]:
    """Return the jump hosts on the way, the last one first."""
    found = []
    jump = target.jump
    while jump is not None:
        found.append(jump)
        jump = jump.jump
    return found

"""What the child of an Ansible run tells the portal of each event, cut to size."""

from __future__ import annotations

from typing import Any

LONGEST_TEXT = 64 * 1024
LONGEST_MESSAGE = 2000


def event_message(raw: dict[str, Any]) -> dict[str, Any]:
    """Return what the portal needs of an event of ansible_runner, cut to size."""
    data = raw.get("event_data") or {}
    found = data.get("res")
    result: dict[str, Any] = found if isinstance(found, dict) else {}
    message: dict[str, Any] = {
        "kind": raw.get("event", ""),
        "counter": raw.get("counter", 0),
        "host": data.get("host"),
        "task": data.get("task"),
        "text": _cut(str(raw.get("stdout", "")).replace("\r\n", "\n")),
        "changed": raw.get("event") == "runner_on_ok" and bool(result.get("changed")),
        "ignored": bool(data.get("ignore_errors")),
        "message": _message(result),
        "stats": _statistics(data) if raw.get("event") == "playbook_on_stats" else None,
    }
    if isinstance(result.get("rc"), int):
        message["rc"] = result["rc"]
    return message


def _message(result: dict[str, Any]) -> str:
    parts = [str(result.get(key, "")).strip() for key in ("msg", "stderr")]
    return ": ".join(part for part in parts if part)[:LONGEST_MESSAGE]


def _cut(text: str) -> str:
    """Keep head and tail of a text that is too long to pass on."""
    if len(text) <= LONGEST_TEXT:
        return text
    half = LONGEST_TEXT // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[... {left_out} characters left out ...]\n{text[-half:]}"


def _statistics(data: dict[str, Any]) -> dict[str, dict[str, int]]:
    """Turn Ansible's counts by kind into counts by host."""
    kinds = ("ok", "changed", "failures", "dark", "skipped", "ignored", "rescued")
    return {
        host: {kind: (data.get(kind) or {}).get(host, 0) for kind in kinds}
        for host in data.get("processed") or {}
    }

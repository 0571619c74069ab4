"""Lines of the audit trail as others read them: JSON lines, and syslog messages (RFC 5424) for a SIEM."""

import json
import re
import socket
from collections.abc import Iterator
from datetime import UTC
from functools import cache
from typing import Any

from adminset.models import AuditEntry

BATCH = 500
# Syslog's facility 13 is "log audit"; severities: 4 warning, 6 informational.
FACILITY, WARNING, INFORMATIONAL = 13, 4, 6
TELLING = ("refused", "throttled", "break_glass")
# 32473 is the enterprise number that RFC 5612 sets aside for where none is registered.
STRUCTURE = "audit@32473"
# What common receivers take as one message.
MESSAGE_BYTES = 8192
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def chained(after: int, most: int | None = None) -> Iterator[AuditEntry]:
    """Walk the chained lines behind a place, in the order of the chain, at most `most` of them."""
    left = most
    while left is None or left > 0:
        rows = AuditEntry.objects.filter(position__gt=after).order_by("position")
        batch = list(rows[: min(BATCH, left or BATCH)])
        if not batch:
            return
        yield from batch
        after = batch[-1].position or 0
        left = None if left is None else left - len(batch)


def as_dict(entry: AuditEntry) -> dict[str, Any]:
    """Give a line as JSON types."""
    return {
        "id": entry.pk,
        "position": entry.position,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": {
            "kind": entry.actor_kind,
            "name": entry.actor_name,
            "id": entry.actor_id,
        },
        "verb": entry.verb,
        "target": {
            "type": entry.target_type,
            "id": entry.target_id,
            "name": entry.target_name,
        },
        "changes": entry.changes,
        "reason": entry.reason,
        "request": entry.request_id,
        "address": entry.address,
        "mac": entry.mac,
        "seal": entry.seal,
    }


def as_json(entry: AuditEntry) -> str:
    """Give a line as one line of JSON, without its newline."""
    return json.dumps(as_dict(entry), ensure_ascii=False, separators=(",", ":"))


def as_syslog(entry: AuditEntry) -> bytes:
    """Give a line as a message of RFC 5424: the facts as structured data, the whole line as JSON behind them.

    Where it would be longer than receivers take, the changes are left out and `changes_left_out` says so.
    """
    head = _head(entry)
    message = head + as_json(entry).encode()
    if len(message) <= MESSAGE_BYTES:
        return message
    short = {**as_dict(entry), "changes": [], "changes_left_out": len(entry.changes)}
    text = json.dumps(short, ensure_ascii=False, separators=(",", ":"))
    return head + text.encode()


def _head(entry: AuditEntry) -> bytes:
    told = entry.verb.endswith(TELLING)
    priority = FACILITY * 8 + (WARNING if told else INFORMATIONAL)
    at = entry.at.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"
    facts = {
        "id": entry.pk,
        "position": entry.position or 0,
        "actor": entry.actor_name,
        "verb": entry.verb,
        "target": f"{entry.target_type}:{entry.target_id}",
        "address": entry.address,
        "request": entry.request_id,
    }
    data = " ".join(f'{name}="{_escaped(str(value))}"' for name, value in facts.items())
    name = re.sub(r"[^!-~]", "_", entry.verb)[:32] or "-"
    # The mark of UTF-8 is part of the message of RFC 5424.
    return f"<{priority}>1 {at} {_host()} adminset - {name} [{STRUCTURE} {data}] \ufeff".encode()


@cache
def _host() -> str:
    return re.sub(r"[^!-~]", "_", socket.gethostname())[:255] or "-"


def _escaped(value: str) -> str:
    """Escape what would end a value of structured data, and what would break the line."""
    return re.sub(r'(["\\\]])', r"\\\1", CONTROL.sub(" ", value))

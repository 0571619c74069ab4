"""What an approval is bound to: a seal on each part of what will run. Any change of one of them voids it.

Seals are kept under the ring of the audit trail: every worker has it, and what was sealed under an older key of it holds.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from adminset.audit_seal import is_authentic, mac_of
from adminset.crypto import Secret
from tasks.models import Run

# What of a run belongs to which part, besides its hosts.
TEXT = (
    "kind",
    "command",
    "module",
    "arguments",
    "language",
    "script_text",
    "script_arguments",
    "playbook_text",
    "version_id",
    "role_versions",
    "distribution",
)
# How a host is reached, besides its address: another port or key behind the same address is another machine.
WAY = (
    "ssh_port",
    "host_key",
    "credential",
    "credential__port",
    "credential__username",
)
OPTIONS = (
    "options",
    "forks",
    "batches",
    "pause_after",
    "stop_percent",
    "repeatable",
    "timeout_seconds",
    "connect_timeout_seconds",
    "idle_timeout_seconds",
    "batch_timeout_seconds",
    "run_timeout_seconds",
)


def seal(value: Any) -> str:
    """Hash JSON types, or what writes itself as text; for `kept` and `differences`, never into the database as it is."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def kept(seals: Mapping[str, str]) -> dict[str, str]:
    """Give what the database may keep of seals by part: made with a key of ours, so that nobody guesses a short secret."""
    return {name: mac_of(_content(name, seals[name])) for name in seals}


def _content(name: str, seal: str) -> tuple[str, str, str]:
    # A line of the trail has more fields: neither passes for the other.
    return ("work", name, seal)


def seals_of_run(run: Run) -> dict[str, str]:
    """Hash the parts of a run as it stands in the database: hosts and how they are reached, text, variables, answers, options."""
    row = Run.objects.get(pk=run.pk)
    way = [f"host__{name}" for name in WAY]
    hosts = (
        row.hosts.meant()
        .order_by("host_id", "pk")
        .values_list("host_id", "address", *way)
    )
    secret = row.sealed.reveal() if isinstance(row.sealed, Secret) else ""
    return {
        "hosts": seal([list(host) for host in hosts]),
        "text": seal([getattr(row, name) for name in TEXT]),
        "variables": seal(row.variables),
        "answers": seal([row.answers, secret]),
        "options": seal([getattr(row, name) for name in OPTIONS]),
        "person": seal(row.requested_by_id),
    }


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Name the parts whose seal of now is not the one that was `kept` before, or that only one side has."""
    names = [*before, *(name for name in now if name not in before)]
    return [name for name in names if not _fits(name, before, now)]


def _fits(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    if name not in before or name not in now:
        return False
    return is_authentic(str(before[name]), _content(name, now[name]))


def part_words(name: str) -> str:
    """Say a part in words."""
    known = {
        "hosts": _("the hosts"),
        "text": _("the text"),
        "variables": _("the variables"),
        "answers": _("the answers"),
        "options": _("the options"),
        "person": _("who asked for it"),
        "definition": _("the definition"),
    }
    kind, _colon, key = name.partition(":")
    if kind == "values":
        return _("what the step %(key)s handed on") % {"key": key}
    return known.get(kind, "") or _("the step %(key)s") % {"key": key or name}

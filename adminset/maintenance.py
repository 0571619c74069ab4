"""Maintenance: while it is on, only those who may turn it off come in; agents keep what they have and ask again."""

import time
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import timezone

from adminset import audit
from adminset.audit import Actor
from adminset.models import PortalSwitch

NAME = "maintenance"
PERMISSION = "adminset.change_portalswitch"
RETRY_SECONDS = 120
# Each process looks at the switch this often, not at every request.
REMEMBER_SECONDS = 2.0
MESSAGE_LENGTH = 500
_kept: tuple[float, dict[str, Any]] | None = None


def state() -> dict[str, Any]:
    """Give {"message", "since", "by"} while it is on, {} else. A database that is away turns nothing on."""
    global _kept
    now = time.monotonic()
    if _kept is None or now >= _kept[0]:
        try:
            row = PortalSwitch.objects.filter(name=NAME).first()
        except DatabaseError:
            return {}
        _kept = (now + REMEMBER_SECONDS, dict(row.value) if row else {})
    return _kept[1]


def is_on() -> bool:
    """Say whether it is on."""
    return bool(state())


def forget() -> None:
    """Look anew at the next question."""
    global _kept
    _kept = None


@transaction.atomic
def switch(*, actor: Actor, on: bool, message: str = "") -> None:
    """Turn it on, with a sentence for those who are turned away, or off; recorded when that changes something."""
    row, _made = PortalSwitch.objects.select_for_update().get_or_create(name=NAME)
    before = dict(row.value)
    value: dict[str, Any] = {}
    if on:
        since = before.get("since") or timezone.now().isoformat()
        text = message.strip()[:MESSAGE_LENGTH]
        value = {"message": text, "since": since, "by": actor.audit_name}
    if value != before:
        row.value = value
        row.save()
        verb = "maintenance.on" if on else "maintenance.off"
        change = {
            "field": "message",
            "old": before.get("message"),
            "new": value.get("message"),
        }
        audit.record(actor, verb, row, changes=[change])
    transaction.on_commit(forget)
    forget()

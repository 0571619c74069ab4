"""Writes the trail's last seal down elsewhere each day: who cuts the end off the trail cannot reach it there."""

import json
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from adminset import audit, outbound
from adminset.audit_chain import CHAIN_PK, seal_pending
from adminset.audit_verify import Witness
from adminset.errors import DomainError
from adminset.models import AuditChain, PortalSwitch

# PortalSwitch keeps when which place got its last anchor.
SWITCH = "audit_anchor"
EVERY = timedelta(days=1)
ACTOR = audit.SystemActor("audit anchor")


def places() -> dict[str, str]:
    """Say where anchors go: "file" and "url" as far as they are set."""
    wanted = {"file": settings.AUDIT_ANCHOR_FILE, "url": settings.AUDIT_ANCHOR_URL}
    return {kind: place for kind, place in wanted.items() if place}


def due() -> list[str]:
    """Name the places whose last anchor is a day old."""
    row = PortalSwitch.objects.filter(name=SWITCH).first()
    kept = row.value if row else {}
    now = timezone.now()
    return [
        kind
        for kind in places()
        if kind not in kept or datetime.fromisoformat(kept[kind]) <= now - EVERY
    ]


def anchor(kinds: list[str]) -> dict[str, Any]:
    """Write the last seal to these places, and one line of the trail about it.

    Returns:
        the anchor: at, position, seal.

    Raises:
        DomainError: a place could not be written; those before it have their anchor.
    """
    seal_pending()
    end, _made = AuditChain.objects.get_or_create(pk=CHAIN_PK)
    now = timezone.now().isoformat()
    made = {"at": now, "position": end.position, "seal": end.seal}
    errors = []
    for kind in kinds:
        try:
            _write(kind, made)
        except (DomainError, OSError) as error:
            errors.append(f"{kind}: {error}")
        else:
            _note(kind, made)
    if errors:
        raise DomainError(
            f"The audit trail could not be anchored ({'; '.join(errors)}).",
            "See that the file can be written and that the address answers.",
            code="anchor_failed",
            status=502,
        )
    return made


def _write(kind: str, made: dict[str, Any]) -> None:
    if kind == "url":
        outbound.post_json(settings.AUDIT_ANCHOR_URL, made)
        return
    path = Path(settings.AUDIT_ANCHOR_FILE)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "a", encoding="ascii") as file:
        file.write(json.dumps(made) + "\n")
        file.flush()
        os.fsync(file.fileno())


@transaction.atomic
def _note(kind: str, made: dict[str, Any]) -> None:
    PortalSwitch.objects.get_or_create(name=SWITCH)
    row = PortalSwitch.objects.select_for_update().get(name=SWITCH)
    row.value = {**row.value, kind: made["at"]}
    row.save()
    changes = [{"field": "position", "old": None, "new": made["position"]}]
    audit.record(ACTOR, "audit.anchor", changes=changes, reason=kind)


def read(path: Path) -> Iterator[Witness]:
    """Read the anchors of a file.

    Raises:
        DomainError: it cannot be read, or a line is no anchor.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DomainError(
            f"The anchors in {path} cannot be read: {error}.",
            "Name a file that anchor_audit has written.",
        ) from error
    for number, line in enumerate(lines, 1):
        try:
            made = json.loads(line)
            position, seal = int(made["position"]), str(made["seal"])
            source = f"The anchor of {str(made['at'])[:10]} (line {number})"
        except (ValueError, KeyError, TypeError) as error:
            raise DomainError(
                f"Line {number} of {path} is no anchor.",
                "Name a file that anchor_audit has written.",
            ) from error
        if position:
            yield Witness(position, seal, source)

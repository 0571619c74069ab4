"""Makes checks, heartbeats and status pages for tests."""

import itertools
from typing import Any

from monitor.heartbeat_models import digest_of
from monitor.models import (
    Heartbeat,
    ServiceCheck,
    StatusItem,
    StatusNote,
    StatusPage,
)

_numbers = itertools.count(1)


def make_check(**fields: Any) -> ServiceCheck:
    """Make a check: of a TCP port of this machine unless told otherwise."""
    fields = {"kind": "tcp", "target": "127.0.0.1", "port": 9, **fields}
    return ServiceCheck.objects.create(
        name=fields.pop("name", f"check {next(_numbers)}"), **fields
    )


def make_heartbeat(key: str = "", **fields: Any) -> Heartbeat:
    """Make a heartbeat that is due each hour."""
    number = next(_numbers)
    key = key or f"key-{number}"
    if "crontab" not in fields:
        fields.setdefault("period_seconds", 3600)
    return Heartbeat.objects.create(
        name=fields.pop("name", f"job {number}"),
        key=key,
        key_digest=digest_of(key),
        **fields,
    )


def make_page(slug: str = "all", **fields: Any) -> StatusPage:
    """Make a status page."""
    return StatusPage.objects.create(
        slug=slug, title_en=fields.pop("title_en", "Our services"), **fields
    )


def make_line(page: StatusPage, check: ServiceCheck, **fields: Any) -> StatusItem:
    """Put a check on a page."""
    return StatusItem.objects.create(
        page=page,
        service_check=check,
        name_en=fields.pop("name_en", f"Line {next(_numbers)}"),
        **fields,
    )


def make_status_parts() -> dict[str, int]:
    """Make a page with a line and a note; give their keys by kind."""
    page = make_page("some")
    line = StatusItem.objects.create(page=page, name_en="A line")
    note = StatusNote.objects.create(page=page, title_en="A note")
    return {"statuspage": page.pk, "statusitem": line.pk, "statusnote": note.pk}

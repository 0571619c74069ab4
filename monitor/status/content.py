"""What a status page says: names written for readers, states and days; never a sentence, a target or a host."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import get_language

from monitor.checks import uptime
from monitor.models import State, StatusItem, StatusNote, StatusPage
from monitor.status_models import in_language
from monitor.watched_models import COLOURS, Watched

# From good to bad: the page's own state is the worst of its lines.
RANK = (State.UP, State.DEGRADED, State.DOWN)
# Notes that ended stay so long; so many are shown.
NOTE_DAYS, MOST_NOTES = 14, 20
MOST_ITEMS = 200


def page_of(slug: str) -> StatusPage | None:
    """Find a page by its name in the address."""
    return StatusPage.objects.filter(slug=slug).first()


def is_open(page: StatusPage) -> bool:
    """Say whether anybody may read a page."""
    return bool(page.is_public and settings.STATUS_PAGES_PUBLIC)


def content_of(page: StatusPage) -> dict[str, Any]:
    """Give what the page shows, worked out at most once in STATUS_PAGE_SECONDS for each language."""
    key = f"status:{page.pk}:{page.updated_at.timestamp()}:{get_language()}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = _work_out(page)
        cache.set(key, found, settings.STATUS_PAGE_SECONDS)
    return found


def _work_out(page: StatusPage) -> dict[str, Any]:
    now = timezone.now()
    items = list(page.items.select_related("service_check", "heartbeat")[:MOST_ITEMS])
    spans: dict[Watched, list[uptime.Span]] = {}
    for name in ("service_check", "heartbeat"):
        rows = {getattr(item, name) for item in items} - {None}
        spans |= uptime.histories(rows, now)
    lines = [
        _line(item, watched, spans[watched], now)
        for item in items
        if (watched := item.service_check or item.heartbeat)
    ]
    worst = _worst(line["raw"] for line in lines)
    return {
        "title": in_language(page.title_en, page.title_zh),
        "text": in_language(page.text_en, page.text_zh),
        "state": worst,
        "colour": COLOURS[worst],
        "groups": _grouped(lines),
        "notes": _notes(page, now),
        "at": now,
    }


def _line(
    item: StatusItem, watched: Watched, history: list[uptime.Span], now: Any
) -> dict[str, Any]:
    share = uptime.percentages(history, now)["90d"]
    return {
        "name": in_language(item.name_en, item.name_zh),
        "group": in_language(item.group_en, item.group_zh),
        "raw": watched.state,
        "label": watched.get_state_display(),
        "colour": watched.colour,
        "share": share,
        "bars": [
            {"day": bar.day, "state": bar.share.state, "percent": bar.share.percent}
            for bar in uptime.bars_of(history, now)
        ],
    }


def _worst(states: Iterable[str]) -> str:
    known = [RANK.index(State(state)) for state in states if state in RANK]
    return RANK[max(known)] if known else State.UNKNOWN


def _grouped(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put lines under their headings, in the order of the first line of each."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        groups.setdefault(line["group"], []).append(line)
    return [{"title": title, "lines": found} for title, found in groups.items()]


def _notes(page: StatusPage, now: Any) -> list[dict[str, Any]]:
    recent = now - timedelta(days=NOTE_DAYS)
    rows = page.notes.exclude(ends_at__lt=recent)[:MOST_NOTES]
    return [_note(row, now) for row in rows]


def _note(row: StatusNote, now: Any) -> dict[str, Any]:
    over = row.ends_at is not None and row.ends_at <= now
    return {
        "kind": row.kind,
        "title": in_language(row.title_en, row.title_zh),
        "text": in_language(row.text_en, row.text_zh),
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "over": over,
        "colour": "idle" if over else "warning" if row.kind == "incident" else "busy",
    }

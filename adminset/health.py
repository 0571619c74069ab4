"""Is the portal alive, and are its parts: each asked with a short time-out, each answered in words."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from adminset import redis_door
from adminset.celery import app

SIGN_OF_LIFE = "adminset:alive:beat"

Check = Callable[[], str]
# A tick may take this long when thousands of schedules are due.
BEAT_STALE_AFTER_SECONDS = 30
WORKER_ANSWERS_WITHIN_SECONDS = 1.5
KEEP_SECONDS = 1.0


def database() -> str:
    """Ask the database for one row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return str(connection.vendor)


def redis() -> str:
    """Ping Redis."""
    redis_door.client().ping()
    return _("answers")


def mongodb() -> str:
    """Ping the metric store through its room's door, named as a string."""
    return str(import_string("monitor.services.store_state")())


def _ping(name: str) -> str:
    """Ask the workers of a name over the broker; the first answer will do."""
    asked = {"pattern": f"{name}@*", "matcher": "glob", "limit": 1}
    if not app.control.ping(timeout=WORKER_ANSWERS_WITHIN_SECONDS, **asked):
        raise RuntimeError(_("nobody answers"))
    return _("answers")


def worker() -> str:
    """Ask who does the short tasks."""
    return _ping("worker")


def runner() -> str:
    """Ask who does the runs."""
    return _ping("runner")


def urgent() -> str:
    """Ask who undoes deliveries."""
    return _ping("urgent")


def builder() -> str:
    """Ask who fetches and builds what is delivered."""
    return _ping("builder")


def planner() -> str:
    """Ask who answers pages: references of a source, plans."""
    return _ping("planner")


def beat() -> str:
    """Look for the scheduler's sign of life."""
    written = redis_door.client().get(SIGN_OF_LIFE)
    age = time.time() - float(written) if written else None
    if age is None:
        raise RuntimeError(_("never seen"))
    if age > BEAT_STALE_AFTER_SECONDS:
        raise RuntimeError(_("last seen %(age)d s ago") % {"age": age})
    return _("seen %(age)d s ago") % {"age": age}


PARTS: dict[str, Check] = {
    "database": database,
    "redis": redis,
    "mongodb": mongodb,
    "worker": worker,
    "runner": runner,
    "urgent": urgent,
    "builder": builder,
    "planner": planner,
    "beat": beat,
}


def state() -> dict[str, Any]:
    """Ask all parts: {"status": "ok" | "degraded", "parts": {name: {"status", "detail"}}}."""
    parts = {name: _ask(check) for name, check in PARTS.items()}
    fine = all(part["status"] == "ok" for part in parts.values())
    return {"status": "ok" if fine else "degraded", "parts": parts}


_kept: dict[str, tuple[float, dict[str, Any]]] = {}


def recent_state() -> dict[str, Any]:
    """Give a state that this process asked for at most KEEP_SECONDS ago: probes may come from anybody, as often as they like."""
    asked_at, state_then = _kept.get("state", (0.0, {}))
    if state_then and time.monotonic() - asked_at < KEEP_SECONDS:
        return state_then
    now = state()
    _kept["state"] = (time.monotonic(), now)
    return now


def forget_state() -> None:
    """Ask anew at the next call."""
    _kept.clear()


def _ask(check: Check) -> dict[str, str]:
    try:
        return {"status": "ok", "detail": check()}
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a part is the answer
        detail = (
            str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        )
        return {
            "status": "down",
            "detail": detail if settings.DEBUG else _without_address(detail),
        }


def _without_address(detail: str) -> str:
    """Anybody may ask: say what is wrong, not where things stand."""
    for url in (settings.REDIS_URL, settings.MONGO_URL):
        detail = detail.replace(url, "...").replace(
            url.split("//")[-1].split("/")[0], "..."
        )
    return detail

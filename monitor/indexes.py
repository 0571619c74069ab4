"""The store's indexes and time limits."""

from typing import Any

from monitor.mongo import expire_after
from monitor.records import DAY_SECONDS
from monitor.tiers import TIERS, Retention


def ensure(db: Any, retention: Retention) -> None:
    """Make the indexes, and move time limits that were changed in the settings."""
    for name in ("chunks", *(tier.table for tier in TIERS)):
        db[name].create_index("b")
    for queue in ("due_hours", "due_days"):
        for field in ("due", "h", "f"):
            db[queue].create_index(field)
    db["due_hours"].create_index("fold")
    db["sweeps"].create_index("due")
    db["custom"].create_index("l")
    # What is packed holds its names itself: shapes serve what is not packed yet, and `latest`.
    shapes_seconds = max(retention.raw, retention.minute) + 2 * DAY_SECONDS
    expire_after(db, "shapes", "used", shapes_seconds)

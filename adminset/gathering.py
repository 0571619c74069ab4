"""Many objects in one transaction: what is written beside each waits meanwhile, and goes to the database together."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Waiting:
    """What waits to be written.

    Attributes:
        lines: of the audit trail, sealed. saved: model -> keys of the objects whose search terms are to be renewed.
        rows: model -> new rows that stand beside the objects: links to others, notes.
    """

    lines: list[Any] = field(default_factory=list)
    saved: dict[Any, list[Any]] = field(default_factory=dict)
    rows: dict[Any, list[Any]] = field(default_factory=dict)


current: ContextVar[Waiting | None] = ContextVar("gathering", default=None)


@contextmanager
def gathering() -> Iterator[Waiting]:
    """Let writes wait; whoever opened this writes them, before the transaction ends (adminset/imports/together.py)."""
    waiting = Waiting()
    token = current.set(waiting)
    try:
        yield waiting
    finally:
        current.reset(token)


def create(rows: list[Any]) -> None:
    """Write new rows of one model that stand beside an object: now, or with all the others that wait."""
    waiting = current.get()
    if not rows:
        return
    if waiting is None:
        type(rows[0])._default_manager.bulk_create(rows)
    else:
        waiting.rows.setdefault(type(rows[0]), []).extend(rows)

"""Whose a leg is, for the page of its run: the room above says what it is called and where it is shown."""

from collections.abc import Callable
from typing import Any

from tasks.feed import sees_all
from tasks.models import Run

# Room (the first word of a subject) -> words and address of a subject for a user; None where he may not see it.
SUBJECTS: dict[str, Callable[[Any, str], tuple[str, str] | None]] = {}


def whose(user: Any, run: Run) -> tuple[str, str]:
    """Give what a leg is a part of, in words, and the address of its page, "" where it has none for this user."""
    maker = SUBJECTS.get(run.subject.partition(".")[0])
    found = maker(user, run.subject) if maker and run.subject else None
    return found or (run.subject or run.purpose, "")


def program_of(user: Any, run: Run) -> str:
    """Give the text of a leg's program to who sees all of its hosts; "" for other runs.

    It holds no values: those of a host may be for nobody else's eyes.
    """
    if not run.is_leg or not sees_all(user, run):
        return ""
    return str(run.leg.program)

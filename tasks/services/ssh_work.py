"""What the SSH lane does on each host, whatever it is: made once for a job, before the first host is begun."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tasks.ssh.terms import Terms
from tasks.targets import CommandResult, Target


def _nothing() -> None:
    """Do nothing: most work has nothing to look after."""


def _no_report(_target: Target) -> dict[str, Any] | None:
    """Give no report: most hosts tell by their output alone."""
    return None


def _no_secrets(_target: Target) -> list[str]:
    """Give no secret of one host alone."""
    return []


@dataclass(frozen=True)
class Work:
    """What is done on a host, and the secrets that it brings there.

    Of legs: `looks` is called a few times a second by the thread that speaks to the database, `report` gives what a host told
    once its work is over, `along` the secrets that one host alone is given.
    """

    do: Callable[[Target, Terms], CommandResult]
    secrets: list[str] = field(default_factory=list, repr=False)
    looks: Callable[[], None] = _nothing
    report: Callable[[Target], dict[str, Any] | None] = _no_report
    along: Callable[[Target], list[str]] = _no_secrets

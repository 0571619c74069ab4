"""Reading what the hosts of a leg said, and how it ended there. Whatever a host says is hostile text: bounded, never trusted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tasks.legs.judging import JUDGES
from tasks.models import Run, RunHost

__all__ = ["JUDGES", "HostReport", "reports"]


@dataclass(frozen=True)
class HostReport:
    """A leg on one host.

    `said` is what its program told the portal, last value by key. `started_at` is there once anything may have been done on the
    host, also where its worker was lost and nobody has begun anew. `sent` of `size` bytes of its file are on their way or
    there. `refused` lines were no such telling.
    """

    host_id: int | None
    host_name: str
    status: str
    exit_code: int | None
    explanation: str
    said: Mapping[str, str] = field(default_factory=dict)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    sent: int = 0
    size: int = 0
    refused: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it has not ended there."""
        return self.ended_at is None and self.status in RunHost.OPEN


def reports(run: Run) -> dict[int, HostReport]:
    """Give how a leg stands on each host, by the host's id; one that was deleted meanwhile has 0 minus its row's id."""
    rows = RunHost.objects.filter(run=run.pk)
    return {row.host_id or -row.pk: report_of(row) for row in rows}


def report_of(row: RunHost) -> HostReport:
    """Give how a leg stands on one host."""
    told: dict[str, Any] = row.report or {}
    return HostReport(
        row.host_id,
        row.host_name,
        row.status,
        row.exit_code,
        row.explanation,
        {str(key): str(value) for key, value in told.get("said", {}).items()},
        row.started_at,
        row.ended_at,
        int(told.get("sent", 0)),
        int(told.get("size", 0)),
        int(told.get("refused", 0)),
    )

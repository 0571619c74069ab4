"""Draws weeks as bars of one small picture: what went, and on top what failed; heights in thousandths."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from delivery.history.figures import Week

HEIGHT = 100
GAP = 0.2


@dataclass(frozen=True)
class Bar:
    """One week of the picture: where its two parts stand, and what it says."""

    begin: datetime
    went: int
    failed: int
    x: str
    width: str
    went_y: str
    went_height: str
    failed_y: str
    failed_height: str


def bars_of(weeks: Sequence[Week]) -> list[Bar]:
    """Give the bars of some weeks in a picture of 1000 x 100; none where nothing was delivered at all."""
    most = max((week.went + week.failed for week in weeks), default=0)
    if not most:
        return []
    step = 1000 / len(weeks)
    return [
        _bar(week, number * step, step, HEIGHT / most)
        for number, week in enumerate(weeks)
    ]


def _bar(week: Week, x: float, step: float, unit: float) -> Bar:
    went, failed = week.went * unit, week.failed * unit
    return Bar(
        week.begin,
        week.went,
        week.failed,
        f"{x + step * GAP / 2:.2f}",
        f"{step * (1 - GAP):.2f}",
        f"{HEIGHT - went:.2f}",
        f"{went:.2f}",
        f"{HEIGHT - went - failed:.2f}",
        f"{failed:.2f}",
    )

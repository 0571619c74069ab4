"""A measured figure, and many of them as a table."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One figure; goal and yardstick in words, empty where there is none."""

    name: str
    value: float
    unit: str
    goal: str = ""
    yardstick: str = ""


def table(figures: Sequence[Figure]) -> str:
    """Draw figures as columns: name, value with unit, goal, yardstick."""
    rows = [("figure", "value", "goal", "yardstick")]
    rows += [
        (f.name, f"{f.value:,.6g} {f.unit}", f.goal or "-", f.yardstick or "-")
        for f in figures
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]

"""The newest state of what a host has as a list: its processes, units, containers and so on."""

from collections.abc import Sequence
from dataclasses import dataclass

Cell = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class Table:
    """One table of one host.

    Attributes:
        name: "processes", "units", ...
        time: Unix seconds when it was taken.
        columns: their names.
        rows: as long as the columns each.
        left_out: rows that were not kept.
    """

    name: str
    time: float
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    left_out: int = 0

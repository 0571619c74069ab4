"""What came over and what did not: row by row for a file, summed up for the terminal. No secret is ever in it."""

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

OUTCOMES = ("created", "updated", "unchanged", "problem")


@dataclass
class Line:
    """What became of one row.

    Attributes:
        table, id, name: which row of AdminSet's. outcome: one of OUTCOMES.
        fields: what was set or changed here. remarks: what was put elsewhere, or left out, and why.
    """

    table: str
    id: int
    name: str
    outcome: str
    fields: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass
class Report:
    """All of it.

    Attributes:
        not_imported: table -> its rows with their fields, for what has no home yet.
        left_out: table -> number of rows, for what does not come along.
    """

    lines: list[Line] = field(default_factory=list)
    not_imported: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def problems(self) -> list[Line]:
        """Rows that cannot be brought over."""
        return [line for line in self.lines if line.outcome == "problem"]

    def summary(self) -> list[str]:
        """Give the sentences for the terminal."""
        tables: dict[str, Counter[str]] = {}
        for line in self.lines:
            tables.setdefault(line.table, Counter())[line.outcome] += 1
        said = [
            f"{table}: " + ", ".join(f"{n[each]} {each}" for each in OUTCOMES)
            for table, n in tables.items()
        ]
        said += [
            f"{table}: {len(rows)} not imported yet (their fields stand in the report)"
            for table, rows in self.not_imported.items()
        ]
        said += [f"{name}: {n} left out" for name, n in self.left_out.items()]
        for line in self.lines:
            if line.outcome == "updated":
                said.append(
                    f"updated: {line.table} {line.id}: {', '.join(line.fields)}"
                )
            said += [
                f"{line.outcome}: {line.table} {line.id} {line.name[:100]!r}: {remark}"
                for remark in line.remarks
            ]
        return said

    def write(self, path: str, *, applied: bool) -> None:
        """Write everything as JSON into a file that only its owner reads.

        Raises:
            OSError: the file cannot be written.
        """
        told = {"applied": applied, **asdict(self)}
        mode = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with os.fdopen(os.open(Path(path), mode, 0o600), "w", encoding="utf-8") as file:
            json.dump(told, file, ensure_ascii=False, indent=1, default=str)

"""The tables in a report (processes, units, containers ...): cut to size and made harmless; pure."""

import re
from collections.abc import Sequence

from msgspec import Struct

from monitor.body import Limits
from monitor.tables_of_hosts import Cell, Table

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What a store keeps as a whole number.
MOST_INTEGER = 2**63 - 1


class SentTable(Struct):
    """A table as an agent sends it; columns, rows and cells of any number and length."""

    name: str
    time: float
    columns: list[str]
    rows: list[list[str | int | float | bool | None]]
    left_out: int = 0


def clean_tables(
    sent: Sequence[SentTable], limits: Limits, now: float, ahead: float = 0.0
) -> tuple[list[Table], dict[str, int]]:
    """Give the tables that are kept, and {"tables": n, "rows": n} of what was left out.

    Args:
        now: Unix seconds; a table from the future would stay the newest until then.
        ahead: seconds by which the host's clock is ahead of ours.
    """
    kept = {each.name: each for each in sent if NAME.fullmatch(each.name)}
    chosen = sorted(kept)[: limits.tables]
    tables = [_clean(kept[name], limits, now, ahead) for name in chosen]
    counts = {
        "tables": len({each.name for each in sent}) - len(chosen),
        "rows": sum(max(len(kept[name].rows) - limits.rows, 0) for name in chosen),
    }
    return tables, {kind: count for kind, count in counts.items() if count}


def _clean(sent: SentTable, limits: Limits, now: float, ahead: float) -> Table:
    columns = [_text(name, limits.cell) for name in sent.columns[: limits.columns]]
    width = len(columns)
    rows = [
        [_cell(cell, limits.cell) for cell in (*row[:width], *[None] * width)][:width]
        for row in sent.rows[: limits.rows]
    ]
    beyond = max(len(sent.rows) - limits.rows, 0)
    said = min(max(sent.left_out, 0), MOST_INTEGER // 2)
    moment = min(max(sent.time - ahead, 0.0), now)
    return Table(sent.name, moment, columns, rows, said + beyond)


def _cell(cell: Cell, most: int) -> Cell:
    if isinstance(cell, str):
        return _text(cell, most)
    if isinstance(cell, int) and abs(cell) > MOST_INTEGER:
        return None
    return cell


def _text(text: str, most: int) -> str:
    if len(text) <= most and text.isprintable():
        return text
    return "".join(c if c.isprintable() else "?" for c in text[:most])

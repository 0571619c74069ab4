"""DORA figures of deploys: how often, how soon, how many went wrong, how soon mended; what is not known is said, never zero."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Shipment:
    """A deploy that has ended, as the figures need it.

    Attributes:
        place: number of the environment.
        back: it brought an earlier release back.
        well: it ended well. reached: something was switched on some host.
        went_back: what it had switched was taken back.
        ended_at: when it ended. switched_at: when the first host was switched, None where none was.
        committed_at: when what it brought was committed, None where that is not known.
    """

    place: int
    back: bool
    well: bool
    reached: bool
    ended_at: datetime
    went_back: bool = False
    switched_at: datetime | None = None
    committed_at: datetime | None = None


@dataclass(frozen=True)
class Week:
    """Seven days of a period.

    Attributes:
        went, failed: changes that went live and stayed; that failed or were taken back.
        lead: median seconds from commit to live; None: not known.
    """

    begin: datetime
    went: int = 0
    failed: int = 0
    lead: float | None = None


@dataclass(frozen=True)
class Figures:
    """The four figures of some deploys in a period.

    Attributes:
        changes: changes that reached hosts; failed: those of them that failed or were taken back.
        went: changes that went live.
        lead: median seconds from commit to live; lead_known: of how many changes that is known.
        restore: median seconds until it was mended; restored: how often; broken: failures that nothing has mended yet.
    """

    days: int
    changes: int = 0
    went: int = 0
    failed: int = 0
    lead: float | None = None
    lead_known: int = 0
    restore: float | None = None
    restored: int = 0
    broken: int = 0
    weeks: list[Week] = field(default_factory=list)

    @property
    def per_week(self) -> float | None:
        """Changes that went live in seven days; None where there was none to count."""
        return self.went * 7 / self.days if self.went else None

    @property
    def failure_percent(self) -> float | None:
        """Share of changes that failed, 0 to 100; None without any change."""
        return 100 * self.failed / self.changes if self.changes else None


def figures_of(
    shipments: Iterable[Shipment], begin: datetime, end: datetime
) -> Figures:
    """Work out the figures of deploys that ended between two moments.

    Args:
        shipments: in any order; of several environments too: each is mended by what comes after it at the same place.
    """
    rows = sorted(shipments, key=lambda each: each.ended_at)
    bad = _failures(rows)
    changes = [row for row in rows if not row.back and row.reached]
    went = [row for row in changes if row.well]
    leads = _leads(went)
    spans, broken = _mended(rows, bad)
    return Figures(
        days=max(round((end - begin) / DAY), 1),
        changes=len(changes),
        went=len(went),
        failed=sum(id(row) in bad for row in changes),
        lead=median(leads) if leads else None,
        lead_known=len(leads),
        restore=median(spans) if spans else None,
        restored=len(spans),
        broken=broken,
        weeks=weeks_of(changes, bad, begin, end),
    )


def _failures(rows: Sequence[Shipment]) -> set[int]:
    """Give the ids of the changes that failed: on the way, or so that the next thing done there was to go back."""
    bad: set[int] = set()
    last: dict[int, Shipment] = {}
    for row in rows:
        if row.back and row.well:
            before = last.pop(row.place, None)
            if before is not None:
                bad.add(id(before))
        elif not row.back and row.reached:
            if not row.well:
                bad.add(id(row))
            last[row.place] = row
    return bad


def _leads(went: Iterable[Shipment]) -> list[float]:
    spans = [
        (row.ended_at - row.committed_at).total_seconds()
        for row in went
        if row.committed_at is not None
    ]
    # The clock of whoever committed may be ahead of ours.
    return [max(span, 0.0) for span in spans]


def _mended(rows: Sequence[Shipment], bad: set[int]) -> tuple[list[float], int]:
    """Give the seconds from each failure to what mended it, and how many failures nothing has mended."""
    spans: list[float] = []
    since: dict[int, datetime] = {}
    for row in rows:
        if row.well and row.place in since:
            spans.append((row.ended_at - since.pop(row.place)).total_seconds())
        if id(row) not in bad:
            continue
        begun = row.switched_at or row.ended_at
        if row.went_back:
            spans.append((row.ended_at - begun).total_seconds())
        else:
            # One that went live and was found bad later: nobody knows the minute, so from when it was live.
            since.setdefault(row.place, row.ended_at if row.well else begun)
    return [max(span, 0.0) for span in spans], len(since)


def weeks_of(
    changes: Sequence[Shipment], bad: set[int], begin: datetime, end: datetime
) -> list[Week]:
    """Put changes into weeks, the last of which ends with the period."""
    count = max(-(-(end - begin) // WEEK), 1)
    first = end - count * WEEK
    held: list[list[Shipment]] = [[] for _number in range(count)]
    for row in changes:
        place = (row.ended_at - first) // WEEK
        if 0 <= place < count:
            held[place].append(row)
    return [_week(first + n * WEEK, rows, bad) for n, rows in enumerate(held)]


def _week(begin: datetime, rows: Sequence[Shipment], bad: set[int]) -> Week:
    failed = sum(id(row) in bad for row in rows)
    leads = _leads([row for row in rows if row.well])
    return Week(begin, len(rows) - failed, failed, median(leads) if leads else None)

"""What an agent sends: its form, checked and cleaned; pure, no Django.

Everything a host says is hostile text. Fields that are not known here are ignored, so that a newer
agent may speak to an older portal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from monitor import clocks
from monitor.body import (
    Limits,
    TooLargeError,
    check_clock,
    check_offset,
    decode,
    inflate,
    shown,
)
from monitor.plausible import Dropped, Plans, Quotas, keep
from monitor.reported_facts import (
    Facts,
    FactsReport,
    Identity,
    Name,
    Seconds,
    as_dict,
    parse_enrolment,
    parse_envelope,
    parse_facts,
    parse_rotation,
)
from monitor.reported_inventory import clean_text
from monitor.reported_tables import SentTable, clean_tables
from monitor.series import Names, Sample
from monitor.tables_of_hosts import Table

__all__ = [
    "Facts",
    "FactsReport",
    "Identity",
    "Limits",
    "MetricsReport",
    "ReportedSample",
    "as_dict",
    "inflate",
    "parse_enrolment",
    "parse_envelope",
    "parse_facts",
    "parse_metrics",
    "parse_rotation",
]

PLANS = Plans(Quotas())
# What a clock may be off, or ahead of another one: a century.
Difference = Annotated[float, Meta(ge=-1e11, le=1e11)]
KINDS_LEFT_OUT = 32


class _SentSample(Struct):
    seq: Annotated[int, Meta(ge=0, le=1 << 53)]
    time: float
    values: dict[str, float]


class _SentMetrics(Struct):
    sent_at: Seconds
    samples: list[_SentSample]
    boot_id: Name = None
    current_boot_id: Name = None
    clock: Difference | None = None
    current_clock: Difference | None = None
    clock_offset: Difference | None = None
    tables: list[SentTable] = []
    left_out: dict[str, Annotated[int, Meta(ge=0, le=1 << 31)]] = {}


_METRICS = msgspec.json.Decoder(_SentMetrics)


@dataclass(frozen=True, slots=True)
class ReportedSample:
    """One sample as sent; `refused` is a sentence where it must not be stored, else empty."""

    seq: int
    sample: Sample
    refused: str = ""


@dataclass(frozen=True, slots=True)
class MetricsReport:
    """The body of POST metrics.

    Attributes:
        sent_at: Unix seconds by the host's clock.
        samples: in the order sent, with the values that are kept.
        clock_offset: seconds that the host measured our clock to be before its own, None if it did not.
        is_of_old_boot: the samples were kept over a reboot: the clock of now says nothing of the one that they were taken by.
        clock: the number of the clock that the samples were taken by, None where the agent does not tell.
        since_set: seconds that the clock of now is ahead of that one, as it was set since.
        tables: the newest state of what comes as a list.
        dropped: what of all this was not kept.
    """

    boot_id: str | None
    sent_at: float
    samples: list[ReportedSample]
    clock_offset: float | None = None
    is_of_old_boot: bool = False
    clock: float | None = None
    since_set: float = 0.0
    tables: Sequence[Table] = ()
    dropped: Dropped = field(default_factory=Dropped)


def parse_metrics(
    body: bytes, limits: Limits, now: float, plans: Plans = PLANS
) -> MetricsReport:
    """Read a batch of samples.

    A sample with too many values is refused alone; a value that cannot be true or has no metric's name, and a part
    beyond the quotas, are dropped and counted; any other fault refuses the batch. Times are judged when they were put
    right (`refused_by_time`).

    Args:
        body: inflated JSON.
        now: Unix seconds by our clock.
        plans: with the quotas.

    Raises:
        BadBodyError, TooLargeError, BadFieldError, ClockSkewError.
    """
    sent = decode(_METRICS, body, limits)
    if len(sent.samples) > limits.samples:
        raise TooLargeError(f"The batch has more than {limits.samples} samples.")
    check_clock(sent.sent_at, limits, now)
    check_offset(sent.clock_offset, limits)
    dropped = Dropped()
    lists: set[Names] = set()
    samples = [_reported(item, dropped, limits, plans, lists) for item in sent.samples]
    ahead = clocks.ahead(sent.sent_at, now, sent.clock_offset)
    tables, beyond = clean_tables(sent.tables, limits, now, ahead)
    dropped.note_left_out(_said(sent.left_out) | beyond)
    return MetricsReport(
        boot_id=clean_text(sent.boot_id),
        sent_at=sent.sent_at,
        samples=samples,
        clock_offset=sent.clock_offset,
        is_of_old_boot=sent.current_boot_id not in {None, sent.boot_id},
        clock=sent.clock,
        since_set=_since_set(sent),
        tables=tables,
        dropped=dropped,
    )


def _since_set(sent: _SentMetrics) -> float:
    if sent.clock is None or sent.current_clock is None:
        return 0.0
    return sent.current_clock - sent.clock


def _reported(
    item: _SentSample,
    dropped: Dropped,
    limits: Limits,
    plans: Plans,
    lists: set[Names],
) -> ReportedSample:
    names = tuple(item.values)
    refused = _refusal(item, limits, is_new=names not in lists, lists=len(lists))
    values: Mapping[str, float] = item.values
    if not refused:
        lists.add(names)
        plan = plans.of(names)
        values = keep(item.values, plan, dropped)
        refused = "" if values else "None of the sample's values can be true."
    return ReportedSample(item.seq, Sample(item.time, values), refused)


def refused_by_time(moment: float, limits: Limits, now: float, early: float) -> str:
    """Say in a sentence why a sample must not be stored by its time, which was put right before; "" where it may.

    Args:
        early: seconds that a sample may lie in the future, as clocks are not exact.
    """
    if moment < now - limits.age_seconds:
        return f"The sample is older than {limits.age_seconds:.0f} seconds."
    return "The sample lies in the future." if moment > now + early else ""


def _refusal(item: _SentSample, limits: Limits, *, is_new: bool, lists: int) -> str:
    if not item.values:
        return "The sample has no values."
    if len(item.values) > limits.values:
        return f"The sample has more than {limits.values} values."
    if is_new and lists >= limits.shapes:
        # Each costs the store a document.
        return f"The batch has more than {limits.shapes} different lists of metrics."
    return ""


def _said(left_out: dict[str, int]) -> dict[str, int]:
    """Keep what the agent says that it left out itself."""
    named = {shown(kind)[:40]: count for kind, count in left_out.items() if count}
    return dict(sorted(named.items())[:KINDS_LEFT_OUT])

"""What an agent sends: its form, checked and cleaned; pure, no Django.

Everything a host says is hostile text. Fields that are not known here are ignored, so that a newer
agent may speak to an older portal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from monitor.body import (
    BadFieldError,
    Limits,
    TooLargeError,
    check_clock,
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
from monitor.series import Sample
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
KINDS_LEFT_OUT = 32


class _SentSample(Struct):
    seq: Annotated[int, Meta(ge=0, le=1 << 53)]
    time: float
    values: dict[str, float]


class _SentMetrics(Struct):
    sent_at: Seconds
    samples: list[_SentSample]
    boot_id: Name = None
    clock_offset: float | None = None
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
        tables: the newest state of what comes as a list.
        dropped: what of all this was not kept.
    """

    boot_id: str | None
    sent_at: float
    samples: list[ReportedSample]
    clock_offset: float | None = None
    tables: Sequence[Table] = ()
    dropped: Dropped = field(default_factory=Dropped)


def parse_metrics(
    body: bytes, limits: Limits, now: float, plans: Plans = PLANS
) -> MetricsReport:
    """Read a batch of samples.

    A sample with an impossible time or too many values is refused alone; a value that cannot be true, and a part
    beyond the quotas, are dropped and counted; any other fault refuses the batch.

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
    dropped = Dropped()
    samples = [
        _reported(item, i, dropped, limits, now, plans)
        for i, item in enumerate(sent.samples)
    ]
    tables, beyond = clean_tables(sent.tables, limits)
    dropped.note_left_out(_said(sent.left_out) | beyond)
    return MetricsReport(
        boot_id=clean_text(sent.boot_id),
        sent_at=sent.sent_at,
        samples=samples,
        clock_offset=sent.clock_offset,
        tables=tables,
        dropped=dropped,
    )


def _reported(
    item: _SentSample,
    place: int,
    dropped: Dropped,
    limits: Limits,
    now: float,
    plans: Plans,
) -> ReportedSample:
    refused = _refusal(item, limits, now)
    values: Mapping[str, float] = item.values
    if not refused:
        plan = plans.of(tuple(values))
        if plan.bad is not None:
            path = f"samples[{place}].values[{shown(plan.bad)}]"
            raise BadFieldError(path, "This is not a metric's name.")
        values = keep(item.values, plan, dropped)
        refused = "" if values else "None of the sample's values can be true."
    return ReportedSample(item.seq, Sample(item.time, values), refused)


def _refusal(item: _SentSample, limits: Limits, now: float) -> str:
    if item.time < now - limits.age_seconds:
        return f"The sample is older than {limits.age_seconds:.0f} seconds."
    if item.time > now + limits.skew_seconds:
        return "The sample lies in the future."
    if not item.values:
        return "The sample has no values."
    if len(item.values) > limits.values:
        return f"The sample has more than {limits.values} values."
    return ""


def _said(left_out: dict[str, int]) -> dict[str, int]:
    """Keep what the agent says that it left out itself."""
    named = {shown(kind)[:40]: count for kind, count in left_out.items() if count}
    return dict(sorted(named.items())[:KINDS_LEFT_OUT])

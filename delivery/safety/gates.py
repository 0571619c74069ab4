"""The gate of a canary: measured values of its hosts since the switch, against a limit."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from django.db import DatabaseError
from django.utils.translation import gettext as _

from delivery.gate_words import gate_words
from delivery.way_models import Way
from monitor.prometheus.names import query_name
from monitor.prometheus.over_time import ByHost, over_time
from monitor.store import StoreUnavailable

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gate:
    """What is compared with what.

    Attributes:
        function: what becomes of the values of a time, as queries name it.
        divisor: name of a second metric, "" for none.
    """

    way: Mapping[str, Any]
    metric: str
    divisor: str
    function: str
    limit: float
    is_floor: bool

    @classmethod
    def of(cls, way: Mapping[str, Any]) -> Self | None:
        """Read the gate of a way, as a deploy has frozen it; None where it has none."""
        if not way.get("gate_metric"):
            return None
        # What deploys froze before there was a choice has none of it.
        grows = way.get("gate_measure") == Way.Measure.RATE
        return cls(
            way=way,
            metric=way["gate_metric"],
            divisor=way.get("gate_divisor") or "",
            function="rate" if grows else "avg_over_time",
            limit=way["gate_limit"],
            is_floor=way["gate_comparison"] == Way.Comparison.BELOW,
        )

    def is_bad(self, value: float) -> bool:
        """Whether a value is beyond the limit; what is no number is."""
        good = value >= self.limit if self.is_floor else value <= self.limit
        return not good

    def one_of(self, series: Sequence[float]) -> float:
        """Make one value of those of a host's series: what grows, or is divided, adds up; else the worst counts."""
        if self.function == "rate" or self.divisor:
            return math.fsum(series)
        return min(series) if self.is_floor else max(series)


@dataclass
class Found:
    """What was read of the hosts.

    Attributes:
        values: by host what is compared. silent: metric -> hosts that did not send it. idle: hosts whose divisor is nothing.
    """

    values: dict[int, float] = field(default_factory=dict)
    silent: dict[str, set[int]] = field(default_factory=dict)
    idle: set[int] = field(default_factory=set)


def judge_gate(
    way: Mapping[str, Any],
    host_ids: Sequence[int],
    since: datetime,
    until: datetime,
    *,
    is_over: bool,
) -> str:
    """Say what is wrong with the measured value of some hosts; "" where nothing is, or where no value is asked for.

    Args:
        is_over: the time of watching is over: a value that nobody measured is no good sign then.
    """
    gate = Gate.of(way)
    if gate is None:
        return ""
    if is_over and not host_ids:
        return _("No host of the canary is left to be watched.")
    start, end = since.timestamp(), until.timestamp()
    try:
        found = _read(gate, host_ids, start, max(end, start + 1))
        bad = [value for value in found.values.values() if gate.is_bad(value)]
    except StoreUnavailable:
        return _unread() if is_over else ""
    except DatabaseError:
        raise
    except Exception:
        # A damaged document, or a request that the store refuses: a deploy must not hang in that, nor its cancel.
        logger.exception("%s of %s hosts cannot be read", gate.metric, len(host_ids))
        return _unread() if is_over else ""
    if bad:
        words = _("%(metric)s is %(value)s, and the limit is %(limit)s.")
        told = {"value": f"{bad[0]:g}", "limit": f"{gate.limit:g}"}
        return words % {"metric": gate_words(way), **told}
    return _missing(gate, host_ids, found) if is_over else ""


def _unread() -> str:
    return _("The measured values cannot be read.")


def _read(gate: Gate, host_ids: Sequence[int], start: float, end: float) -> Found:
    found = Found()

    def of(metric: str) -> dict[int, float]:
        # Gates of former versions may name an instance (disk.used_percent|/var): all of them are looked at, the worst counts.
        name = query_name(metric.partition("|")[0]) or metric
        read: ByHost = over_time(gate.function, host_ids, name, start, end)
        found.silent[metric] = set(host_ids) - set(read)
        return {pk: gate.one_of(series) for pk, series in read.items()}

    upper = of(gate.metric)
    if not gate.divisor:
        found.values = upper
        return found
    lower = of(gate.divisor)
    # Of a host that nobody asked for anything there is nothing to judge yet.
    found.idle = {pk for pk, total in lower.items() if not total > 0}
    known = (set(upper) & set(lower)) - found.idle
    found.values = {pk: upper[pk] / lower[pk] for pk in known}
    return found


def _missing(gate: Gate, host_ids: Sequence[int], found: Found) -> str:
    """Say what was not measured until the end; "" where all was."""
    for metric, silent in found.silent.items():
        if silent:
            return _silent_words(gate, metric, host_ids, silent)
    if found.idle:
        words = _(
            "%(metric)s was 0 on %(count)s of %(all)s hosts while they were watched: there is nothing to judge."
        )
        told = {"count": len(found.idle), "all": len(host_ids)}
        return words % {"metric": gate.divisor, **told}
    return ""


def _silent_words(
    gate: Gate, metric: str, host_ids: Sequence[int], silent: set[int]
) -> str:
    if len(silent) < len(host_ids):
        words = _("Not all hosts sent %(metric)s until the end.")
    else:
        words = _("No host sent %(metric)s until the end.")
    told = [words % {"metric": metric}]
    if gate.function == "rate":
        told.append(_("An increase takes two values of a host at least."))
    return " ".join(told)

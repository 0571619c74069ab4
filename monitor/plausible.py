"""What of a sample is kept: numbers that can be true, of as many parts as a host may have; pure.

Names decide nearly everything, and a host sends the same ones for months: what follows from a set of names is worked out
once and remembered, so that a sample costs two comparisons a value.
"""

import operator
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitor.body import VALUE_LIMIT
from monitor.metrics import CATALOGUE

METRIC = re.compile(r"[a-z0-9_.]{1,100}")
NAMES_REMEMBERED = 200_000
PEBIBYTE = float(2**50)
ANYTHING = (-VALUE_LIMIT, VALUE_LIMIT)

# The first part of a metric's name -> the parts of a host that it counts.
KINDS = {
    "fs": "mounts",
    "net": "interfaces",
    "disk": "disks",
    "smart": "disks",
    "container": "containers",
    "custom": "custom",
}
# Unit, and the end of a name that the catalogue does not know -> lowest and highest that can be true.
UNITS: dict[str, tuple[float, float]] = {
    # Agents round, and a core may have been busy for a little more than the interval.
    "percent": (-1.0, 200.0),
    "bytes": (0.0, 8 * 1024 * PEBIBYTE),
    "bytes_per_second": (0.0, 1e13),
    "per_second": (0.0, 1e11),
    "seconds": (0.0, 1e11),
    "milliseconds": (0.0, 1e9),
    "tasks": (0.0, 1e7),
    "processes": (0.0, 1e8),
    "sessions": (0.0, 1e7),
    "flag": (0.0, 1.0),
    "celsius": (-150.0, 2000.0),
    "watts": (0.0, 1e6),
    "rpm": (0.0, 1e6),
}
# No machine has more memory; disks may.
MEMORY = ("memory.", "swap.", "container.memory", "gpu.memory", "tcp.memory")
EXCEPTIONS = {
    "container.cpu_percent": (0.0, 1e6),
    "system.clock_offset_seconds": (-1e11, 1e11),
}


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many parts of each kind a host may have; of custom series, how many of them."""

    mounts: int = 100
    interfaces: int = 100
    disks: int = 200
    containers: int = 200
    custom: int = 1000


@dataclass(frozen=True, slots=True)
class Plan:
    """What follows from the names of a sample.

    Attributes:
        kept: the names that are metrics' and within the quotas; None for all of them.
        low, high: the bounds of each name that is kept.
        left_out: kind -> parts beyond the quota; under "names" those that are no metrics'.
    """

    kept: tuple[str, ...] | None
    low: tuple[float, ...]
    high: tuple[float, ...]
    left_out: Mapping[str, int]


@dataclass(slots=True)
class Dropped:
    """What was not kept of some samples.

    Attributes:
        implausible: metric -> values that cannot be true.
        left_out: kind -> parts beyond the quota, or that the agent itself left out.
    """

    implausible: Counter[str] = field(default_factory=Counter)
    left_out: dict[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.implausible) or any(self.left_out.values())

    def note_left_out(self, counts: Mapping[str, int]) -> None:
        """Take the larger count of each kind: samples of one batch leave out the same parts."""
        for kind, count in counts.items():
            self.left_out[kind] = max(self.left_out.get(kind, 0), count)


class Plans:
    """Makes plans and remembers them, as long as they hold few enough names together."""

    def __init__(self, quotas: Quotas, most_names: int = NAMES_REMEMBERED) -> None:
        self._quotas, self._most, self.held = quotas, most_names, 0
        self._kept: OrderedDict[tuple[str, ...], Plan] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, names: tuple[str, ...]) -> Plan:
        """Give the plan for names, in the order of the sample."""
        plan = self._kept.get(names)
        if plan is not None:
            return plan
        plan = make_plan(names, self._quotas)
        with self._lock:
            if names not in self._kept:
                self._kept[names] = plan
                self.held += len(names)
            while self.held > self._most:
                oldest, _plan = self._kept.popitem(last=False)
                self.held -= len(oldest)
        return plan


def make_plan(names: tuple[str, ...], quotas: Quotas) -> Plan:
    """Work out what follows from names."""
    named = tuple(name for name in names if is_name(name))
    left_out = _beyond(named, quotas)
    kept = tuple(name for name in named if _part(name) not in left_out)
    bounds = [bounds_of(name.partition("|")[0]) for name in kept]
    counts = Counter(kind for kind, _instance in left_out)
    if len(named) < len(names):
        counts["names"] = len(names) - len(named)
    return Plan(
        kept=kept if counts else None,
        low=tuple(low for low, _high in bounds),
        high=tuple(high for _low, high in bounds),
        left_out=counts,
    )


def _part(name: str) -> tuple[str, str]:
    metric, _bar, instance = name.partition("|")
    kind = KINDS.get(metric.partition(".")[0], "")
    return (kind, name if kind == "custom" else instance)


def _beyond(names: tuple[str, ...], quotas: Quotas) -> set[tuple[str, str]]:
    """Give the parts beyond the quotas: always the same ones, the last by name."""
    parts: dict[str, set[str]] = {}
    for kind, instance in map(_part, names):
        if kind and instance:
            parts.setdefault(kind, set()).add(instance)
    return {
        (kind, instance)
        for kind, instances in parts.items()
        for instance in sorted(instances)[getattr(quotas, kind) :]
    }


def is_name(name: str) -> bool:
    """Say whether a text is a metric's name: "<metric>" or "<metric>|<instance>"."""
    metric, bar, instance = name.partition("|")
    if not METRIC.fullmatch(metric):
        return False
    return not bar or (0 < len(instance) <= 200 and instance.isprintable())


def bounds_of(metric: str) -> tuple[float, float]:
    """Give the lowest and the highest value that can be true of a metric; wide where nothing is known of it."""
    if metric in EXCEPTIONS:
        return EXCEPTIONS[metric]
    if metric.startswith("custom."):
        return ANYTHING
    known = CATALOGUE.get(metric)
    unit = known.unit if known else _unit_by_name(metric)
    if unit == "bytes" and metric.startswith(MEMORY):
        return (0.0, PEBIBYTE)
    # What is counted is never negative.
    return UNITS.get(unit, (0.0, VALUE_LIMIT) if known else ANYTHING)


def _unit_by_name(metric: str) -> str:
    for unit in ("bytes_per_second", "per_second", "bytes", "percent"):
        if metric.endswith(f"_{unit}"):
            return unit
    return ""


def keep(values: dict[str, float], plan: Plan, dropped: Dropped) -> Mapping[str, float]:
    """Give the values that are kept, and note the others.

    Args:
        plan: made of the names of these values.
    """
    if plan.left_out:
        dropped.note_left_out(plan.left_out)
    if plan.kept is not None:
        values = {name: values[name] for name in plan.kept}
    numbers = tuple(values.values())
    low_enough = False not in map(operator.le, numbers, plan.high)
    if low_enough and False not in map(operator.le, plan.low, numbers):
        return values
    true = {}
    for (name, value), low, high in zip(
        values.items(), plan.low, plan.high, strict=True
    ):
        if low <= value <= high:
            true[name] = value
        else:
            dropped.implausible[name.partition("|")[0]] += 1
    return true

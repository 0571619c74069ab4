"""Names of series, and rates between two readings of counters."""

from typing import Dict, NamedTuple, Union

Number = Union[int, float]
Values = Dict[str, Number]
INSTANCE_LIMIT = 200
DECIMALS = 3


class Field(NamedTuple):
    """One metric: what it is called, its unit and what it means."""

    name: str
    unit: str
    meaning: str


class Reading(NamedTuple):
    """Values that are ready, and counters that become rates."""

    gauges: Values
    counters: Values


def series(metric: str, instance: object) -> str:
    """`metric|instance`, the instance printable and short."""
    text = str(instance).encode("utf-8", "replace").decode("utf-8")
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return f"{metric}|{printable[:INSTANCE_LIMIT]}"


def percent(part: Number, whole: Number) -> float:
    """Between 0 and 100; the whole must not be 0."""
    return round(min(max(100.0 * part / whole, 0.0), 100.0), DECIMALS)


def per_second(before: Values, after: Values, seconds: float) -> Values:
    """Growth per second; a counter that is new or went backwards gives no value."""
    rates: Values = {}
    for name, count in after.items():
        growth = count - before.get(name, count + 1)
        if growth >= 0:
            rates[name] = round(growth / seconds, DECIMALS)
    return rates

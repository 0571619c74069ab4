"""Names of series, and rates between two readings of counters."""

from typing import Dict, NamedTuple, Union

Number = Union[int, float]
Values = Dict[str, Number]
INSTANCE_LIMIT = 200
DECIMALS = 3
GAUGE, RATE = "gauge", "rate"


class Field(NamedTuple):
    """One metric: what it is called, its unit, what it means, and its kind.

    A gauge is read as it is; a rate is what a counter grew by between two readings.
    """

    name: str
    unit: str
    meaning: str
    kind: str = GAUGE


class Reading(NamedTuple):
    """Values that are ready, and counters that become rates."""

    gauges: Values
    counters: Values


def series(metric: str, instance: object) -> str:
    """`metric|instance`, the instance printable and short."""
    return f"{metric}|{printable(instance)}"


def printable(text: object) -> str:
    """Foreign text without control characters, cut to what the portal takes."""
    plain = str(text)[:INSTANCE_LIMIT].encode("utf-8", "replace").decode("utf-8")
    return "".join(c if c.isprintable() else "?" for c in plain)


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


def shares_of_time(before: Values, after: Values, seconds: float) -> Values:
    """As per_second of counters in hundredths of a second; never more than 100 %."""
    rates = per_second(before, after, seconds)
    return {name: min(value, 100.0) for name, value in rates.items()}

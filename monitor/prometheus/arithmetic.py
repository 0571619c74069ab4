"""Operators between numbers and series, as Prometheus computes them; pure."""

import math
import operator
from collections.abc import Callable

from monitor.prometheus.expressions import COMPARISONS, Binary
from monitor.prometheus.faults import BadQueryError, QueryError
from monitor.prometheus.functions import Column
from monitor.prometheus.names import NAME
from monitor.prometheus.vectors import Key, Scalar, Series, Vector, key_of, unnamed


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if not left or math.isnan(left) else math.copysign(math.inf, left)


def _rest(left: float, right: float) -> float:
    return math.fmod(left, right) if right and math.isfinite(left) else math.nan


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except ValueError:
        return math.nan
    except OverflowError:
        return math.inf


MEETS: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _rest,
    "^": _power,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def between_numbers(node: Binary, left: Scalar, right: Scalar) -> Scalar:
    """Compute number by number."""
    if node.operator in COMPARISONS and not node.returns_bool:
        raise BadQueryError("Between two numbers a comparison needs `bool`.")
    compute = MEETS[node.operator]
    return [float(compute(a, b)) for a, b in zip(left, right, strict=True)]


def with_numbers(
    node: Binary, vector: Vector, numbers: Scalar, *, flipped: bool
) -> Vector:
    """Compute each series with the numbers; `flipped` where these stand on the left."""
    compute = MEETS[node.operator]
    chooses = node.operator in COMPARISONS and not node.returns_bool
    found = []
    for series in vector:
        values: Column = []
        for value, number in zip(series.values, numbers, strict=True):
            if value is None:
                values.append(None)
                continue
            met = compute(number, value) if flipped else compute(value, number)
            values.append((value if met else None) if chooses else float(met))
        labels = series.labels if chooses else unnamed(series.labels)
        if any(value is not None for value in values):
            found.append(Series(labels, values))
    return found


def between_series(node: Binary, left: Vector, right: Vector) -> Vector:
    """Let series with the same labels meet, one with one."""
    compute = MEETS[node.operator]
    chooses = node.operator in COMPARISONS and not node.returns_bool
    partners = _by_key(node, right, "right")
    found = []
    for key, series in _by_key(node, left, "left").items():
        partner = partners.get(key)
        if partner is None:
            continue
        values = [
            None
            if a is None or b is None
            else ((a if compute(a, b) else None) if chooses else float(compute(a, b)))
            for a, b in zip(series.values, partner.values, strict=True)
        ]
        if any(value is not None for value in values):
            labels = series.labels if chooses else dict(key)
            found.append(Series(labels, values))
    return found


def _by_key(node: Binary, vector: Vector, side: str) -> dict[Key, Series]:
    found: dict[Key, Series] = {}
    for series in vector:
        if node.labels is None:
            key = key_of(series.labels, frozenset({NAME}), keeps=False)
        elif node.keeps:
            key = key_of(series.labels, node.labels, keeps=True)
        else:
            key = key_of(series.labels, node.labels | {NAME}, keeps=False)
        if key in found:
            raise QueryError(
                f"Several series on the {side} of {node.operator} have the same labels:"
                " say with on() or ignoring() which of them count, or aggregate first."
            )
        found[key] = series
    return found

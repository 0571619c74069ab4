"""Evaluates an expression at all moments of a query, series by series."""

import math
from collections.abc import Callable, Iterable

import numpy as np
from django.conf import settings

from monitor.prometheus import functions
from monitor.prometheus.aggregation import aggregated, ranked
from monitor.prometheus.arithmetic import (
    between_numbers,
    between_series,
    with_numbers,
)
from monitor.prometheus.expressions import (
    RANKINGS,
    Aggregate,
    Binary,
    Node,
    Number,
    PlainCall,
    RangeCall,
    Selector,
    Time,
)
from monitor.prometheus.faults import BadQueryError
from monitor.prometheus.selection import Reader
from monitor.prometheus.vectors import Scalar, Series, Vector, unnamed


def _whole(round_it: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: float(round_it(value)) if math.isfinite(value) else value


PLAIN: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": _whole(math.ceil),
    "floor": _whole(math.floor),
    # Halves go up, as in Prometheus.
    "round": _whole(lambda value: math.floor(value + 0.5)),
}


class Evaluation:
    """One query at work.

    Args:
        reader: gives the series, and knows the moments and the bounds.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._moments = list(reader.steps)

    def of(self, node: Node) -> Vector | Scalar:
        """Evaluate a node: a vector, or a number for each moment.

        Raises:
            QueryError: it makes no sense, is not supported or too much.
            StoreUnavailable: the metric store is away.
        """
        if isinstance(node, Number):
            return [node.value] * len(self._moments)
        if isinstance(node, Time):
            return list(self._moments)
        found = self._vector(node) if not isinstance(node, Binary) else self._met(node)
        self._reader.bounds.look_at_the_clock()
        return found

    def _vector(self, node: Node) -> Vector:
        if isinstance(node, Selector):
            return self._newest(node)
        if isinstance(node, RangeCall):
            return self._in_range(node)
        if isinstance(node, PlainCall):
            compute = PLAIN[node.function]
            return [
                Series(unnamed(each.labels), [_if(compute, v) for v in each.values])
                for each in self._of_series(node.of)
            ]
        if isinstance(node, Aggregate):
            inner = self._of_series(node.of)
            if node.operator in RANKINGS:
                return ranked(node, inner)
            return aggregated(node, inner)
        raise TypeError(node)

    def _of_series(self, node: Node) -> Vector:
        found = self.of(node)
        if found and not isinstance(found[0], Series):
            raise BadQueryError("A vector is needed where a plain number stands.")
        return found  # type: ignore[return-value]

    def _newest(self, node: Selector) -> Vector:
        if node.range:
            raise BadQueryError("A range of values needs a function, such as rate().")
        moments = np.array(self._moments) - node.offset
        back = settings.PROM_LOOKBACK_SECONDS
        return self._kept(
            Series(line.labels, functions.newest(line, moments, back))
            for line in self._reader.lines(node)
        )

    def _in_range(self, node: RangeCall) -> Vector:
        selector, function = node.selector, node.function
        moments = np.array(self._moments) - selector.offset
        lines = self._reader.lines(selector, exact=function in functions.EXACT_ONLY)
        named = function == "last_over_time"
        return self._kept(
            Series(
                line.labels if named else unnamed(line.labels),
                functions.in_range(function, line, moments, selector.range),
            )
            for line in lines
        )

    def _kept(self, found: Iterable[Series]) -> Vector:
        """Keep the series that have a value at all, and count what they cost."""
        kept = []
        for series in found:
            self._reader.bounds.count(0, len(series.values))
            if any(value is not None for value in series.values):
                kept.append(series)
        return kept

    def _met(self, node: Binary) -> Vector | Scalar:
        left, right = self.of(node.left), self.of(node.right)
        vectors = [_is_vector(left), _is_vector(right)]
        if vectors == [False, False]:
            return between_numbers(node, left, right)  # type: ignore[arg-type]
        if vectors == [True, True]:
            return between_series(node, left, right)  # type: ignore[arg-type]
        if vectors[0]:
            return with_numbers(node, left, right, flipped=False)  # type: ignore[arg-type]
        return with_numbers(node, right, left, flipped=True)  # type: ignore[arg-type]


def _is_vector(found: Vector | Scalar) -> bool:
    # An empty vector and a vector of series; a scalar has a number for each moment.
    return not found or isinstance(found[0], Series)


def _if(compute: Callable[[float], float], value: float | None) -> float | None:
    return None if value is None else compute(value)

"""Answers Prometheus' query API in its own JSON: values, ranges, series and labels."""

import math
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from monitor.prometheus import metric_names
from monitor.prometheus.bounds import Bounds
from monitor.prometheus.evaluate import Evaluation
from monitor.prometheus.expressions import Selector, is_scalar, read
from monitor.prometheus.faults import BadQueryError
from monitor.prometheus.names import NAME, PUBLIC, Labels
from monitor.prometheus.selection import Line, Reader, Steps
from monitor.prometheus.vectors import Series

HOST_LABELS = ("host", "group", "idc")
# Labels of the agents' metrics are known without asking the store.
MOST_VALUES = 20_000

Answer = dict[str, Any]


def instant(user: Any, text: str, moment: float) -> Answer:
    """Evaluate an expression at one moment.

    Raises:
        QueryError: it is no PromQL, not supported or too much.
        StoreUnavailable: the metric store is away.
    """
    node = read(text)
    reader = Reader(user, Steps(moment, moment), Bounds())
    if isinstance(node, Selector) and node.range:
        lines = [_clipped(line, node, moment) for line in reader.lines(node)]
        return {"resultType": "matrix", "result": [each for each in lines if each]}
    found = Evaluation(reader).of(node)
    if is_scalar(node):
        return {"resultType": "scalar", "result": [moment, told(found[0])]}  # type: ignore[arg-type]
    return {
        "resultType": "vector",
        "result": [
            {"metric": series.labels, "value": [moment, told(series.values[0])]}
            for series in found
            if isinstance(series, Series) and series.values[0] is not None
        ],
    }


def _clipped(line: Line, node: Selector, moment: float) -> Answer | None:
    """Give the values of a range selector themselves."""
    end = moment - node.offset
    rows = zip(line.times.tolist(), line.values.tolist(), strict=True)
    values = [[t, told(v)] for t, v in rows if end - node.range < t <= end]
    return {"metric": line.labels, "values": values} if values else None


def over_time(user: Any, text: str, steps: Steps) -> Answer:
    """Evaluate an expression at evenly spaced moments; raises as `instant` does, and BadQueryError for too many steps."""
    most = settings.PROM_QUERY_MAX_STEPS
    if len(steps) > most:
        raise BadQueryError(
            f"The query has {len(steps)} steps, the most is {most}: ask for a larger step."
        )
    node = read(text)
    if isinstance(node, Selector) and node.range:
        raise BadQueryError("A range query needs an instant vector or a number.")
    found = Evaluation(Reader(user, steps, Bounds())).of(node)
    moments = list(steps)
    if is_scalar(node):
        values = [[t, told(v)] for t, v in zip(moments, found, strict=True)]  # type: ignore[arg-type]
        return {"resultType": "matrix", "result": [{"metric": {}, "values": values}]}
    return {
        "resultType": "matrix",
        "result": [
            {"metric": series.labels, "values": _points(moments, series)}
            for series in found
            if isinstance(series, Series)
        ],
    }


def _points(moments: Iterable[float], series: Series) -> list[list[Any]]:
    rows = zip(moments, series.values, strict=True)
    return [[moment, told(value)] for moment, value in rows if value is not None]


def told(value: float | None) -> str:
    """Write a value as Prometheus does: a text, so that infinities fit into JSON."""
    if value is None or math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def series(user: Any, selectors: Iterable[str], steps: Steps) -> list[Labels]:
    """List the series that fit any of the selectors and were there between the first and the last step."""
    reader = Reader(user, steps, Bounds())
    found = {
        frozenset(labels.items()): labels
        for text in selectors
        for labels in reader.known(_matchers(text))
    }
    return list(found.values())


def _matchers(text: str) -> tuple[Any, ...]:
    node = read(text)
    if not isinstance(node, Selector) or node.range or node.offset:
        raise BadQueryError("match[] must be a plain selector of series.")
    return node.matchers


def label_names(user: Any, selectors: list[str], steps: Steps) -> list[str]:
    """List the names of labels: of the series that fit, or of all that the asker may look at."""
    if selectors:
        return sorted(
            {name for each in series(user, selectors, steps) for name in each}
        )
    reader = Reader(user, steps, Bounds())
    names = {name for labels in reader.newest_names() for name, _value in labels}
    return sorted({NAME, "instance", *HOST_LABELS} | names)


def label_values(user: Any, name: str, selectors: list[str], steps: Steps) -> list[str]:
    """List the values of a label, in the same way."""
    if selectors:
        found = {each.get(name, "") for each in series(user, selectors, steps)}
        return sorted(found - {""})
    reader = Reader(user, steps, Bounds())
    if name in (*HOST_LABELS, "instance"):
        asked = "host" if name == "instance" else name
        found = {labels.get(asked, "") for labels in reader.fleet.labels.values()}
        return sorted(found - {""})
    newest = {dict(labels).get(name, "") for labels in reader.newest_names()}
    if name == NAME:
        newest |= metric_names.noted(reader.fleet.labels) | set(PUBLIC)
    return sorted(newest - {""})

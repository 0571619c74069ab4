"""A set of series as the JSON that charts.js draws: one time axis, many charts."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from monitor.chart_list import Chart, is_stacked, place_of
from monitor.metrics import describe
from monitor.series import Selection, Series, SeriesSet
from monitor.titles import title_of

SIGNS = {
    "percent": "%",
    "bytes": "B",
    "bytes_per_second": "B/s",
    "per_second": "/s",
    "seconds": "s",
    "milliseconds": "ms",
    "celsius": "°C",
    "watts": "W",
    "": "",
}
WORDS = {
    "tasks": _("tasks"),
    "processes": _("processes"),
    "inodes": _("inodes"),
    "sessions": _("sessions"),
    "sockets": _("sockets"),
    "files": _("files"),
    "units": _("units"),
    "containers": _("containers"),
    "flag": _("1 is yes"),
    "bits": _("bits"),
    "rpm": _("turns a minute"),
    "samples": _("samples"),
    "requests": _("requests"),
    "cores": _("cores"),
}
# Of a chart with more lines than this the bands from lowest to highest would hide each other.
BANDED = 3
# Lines of one chart: more cannot be told apart.
MOST_LINES = 24


def unit_name(unit: str) -> str:
    """Give the sign of a unit as charts.js knows it ("%", "B/s"), or its word in the reader's language."""
    sign = SIGNS.get(unit)
    return str(WORDS[unit]) if sign is None else sign


def unit_of(metric: str) -> str:
    """Give the sign of a metric's unit; a metric of somebody else is a plain number."""
    known = describe(metric)
    return unit_name(known.unit) if known else ""


def page_json(charts: Iterable[Chart], found: SeriesSet) -> dict[str, Any]:
    """Give all charts of a page over one time axis: {times, start, end, ..., charts: {key: {unit, series, coverage}}}."""
    known = _moments(found, found.series)
    return axis_json(found) | {
        "charts": {chart.key: _chart(chart, found, known) for chart in charts}
    }


def chart_json(chart: Chart, found: SeriesSet) -> dict[str, Any]:
    """Give one chart: {times, start, end, ..., unit, series, coverage}."""
    return axis_json(found) | _chart(chart, found, _moments(found, found.series))


def axis_json(found: SeriesSet) -> dict[str, Any]:
    """Give what all charts of a set share. Times are Unix seconds; `no_data_since` is there where the host fell silent before."""
    silent = found.newest is not None and found.newest < found.start
    return {
        "times": [_short(time) for time in found.times],
        "start": found.start,
        "end": found.end,
        "resolution": found.resolution,
        "no_data_since": found.newest if silent else None,
    }


def _chart(chart: Chart, found: SeriesSet, known: int) -> dict[str, Any]:
    wanted = Selection(chart.patterns)
    names = sorted(
        (name for name in found.series if name in wanted),
        key=lambda name: place_of(chart, name),
    )
    shown = names[:MOST_LINES]
    banded = found.rolled_up and len(shown) <= BANDED
    return {
        "unit": unit_name(chart.unit),
        # The set's share, less the moments at which none of these was measured.
        "coverage": round(found.coverage * _moments(found, shown) / (known or 1), 4),
        "left_out": len(names) - len(shown),
        "series": [
            line_json(
                title_of(name),
                found.series[name],
                metric=name,
                banded=banded,
                stacked=is_stacked(chart, name),
            )
            for name in shown
        ],
    }


def line_json(
    title: str,
    line: Series,
    *,
    metric: str = "",
    banded: bool = False,
    stacked: bool = False,
    url: str = "",
) -> dict[str, Any]:
    """Give one line: {name, metric, average, low and high (with a band), stacked, url}; null where nothing was measured."""
    made: dict[str, Any] = {"name": title, "average": _numbers(line.average)}
    if metric:
        made["metric"] = metric
    if banded:
        made |= {"low": _numbers(line.low), "high": _numbers(line.high)}
    if stacked:
        made["stacked"] = True
    if url:
        made["url"] = url
    return made


def _moments(found: SeriesSet, names: Iterable[str]) -> int:
    """Count the moments at which any of these lines has a value."""
    columns = [found.series[name].average for name in names]
    if any(None not in column for column in columns):
        return len(found.times)
    rows = zip(*columns, strict=True)
    return sum(1 for row in rows if any(value is not None for value in row))


def _numbers(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else _short(value) for value in values]


def _short(value: float) -> float | int:
    """Leave out digits that no picture shows; what an agent has read (three places at most) stays as it is."""
    if abs(value) >= 100_000:
        return round(value)
    short = round(value, 3)
    return int(short) if short.is_integer() else short

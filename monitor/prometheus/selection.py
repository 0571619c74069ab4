"""Fetches the series that a selector names, from the store and within the asker's hosts."""

import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.conf import settings

from monitor.drawing import Columns
from monitor.metric_store import store
from monitor.metrics import CATALOGUE
from monitor.prometheus.bounds import Bounds
from monitor.prometheus.expressions import Selector
from monitor.prometheus.hosts import Fleet, fleet_of
from monitor.prometheus.lanes import all_keys
from monitor.prometheus.matching import Matcher, all_fit
from monitor.prometheus.names import (
    PUBLIC,
    Labels,
    labels_of,
    stored_metric,
    told,
)
from monitor.prometheus.whereabouts import Window, columns_of
from monitor.series import Floats, Points

# Points that the store is asked for at least: so that short ranges come as single samples.
LEAST_POINTS, MOST_POINTS = 2000, 50_000
# A query for this long ago and later asks for the present.
PRESENT_SECONDS = 30
# More hosts than these are read together where that is possible.
FEW_HOSTS = 20
# Values in a range, where the store chooses how wide they are.
IN_A_RANGE = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One series with what was measured of it.

    Attributes:
        times: Unix seconds, ascending; of a bucket its start.
        values, low, high: readings; of a bucket average, least and most.
        width: seconds that a value stands for.
        rolled_up: True where values are averages.
    """

    labels: Labels
    times: Floats
    values: Floats
    low: Floats
    high: Floats
    width: float = 0.0
    rolled_up: bool = False


@dataclass(frozen=True, slots=True)
class Steps:
    """The moments of a query: Unix seconds, evenly spaced."""

    start: float
    end: float
    step: float = 0.0

    def __len__(self) -> int:
        """Count them."""
        if self.step <= 0:
            return 1
        return int((self.end - self.start) / self.step + 1e-9) + 1

    def __iter__(self) -> Iterator[float]:
        """Walk them."""
        return (self.start + i * self.step for i in range(len(self)))


class Reader:
    """Reads for one query of one user; raises StoreUnavailable and, beyond the bounds, TooMuchError."""

    def __init__(self, user: Any, steps: Steps, bounds: Bounds) -> None:
        self.steps, self.bounds = steps, bounds
        self._user = user
        self._fleet: Fleet | None = None

    @property
    def fleet(self) -> Fleet:
        """The hosts that the asker may look at, fetched at first need."""
        if self._fleet is None:
            self._fleet = fleet_of(self._user)
        return self._fleet

    def hosts(self, selector: Selector) -> dict[int, Mapping[str, str]]:
        """Give the hosts that fit what a selector says of hosts, with their labels."""
        ours = {"host", "group", "idc"}
        if selector.metric in PUBLIC:
            ours.add("instance")
        matchers = tuple(m for m in selector.matchers if m.name in ours)
        return {
            host_id: labels
            for host_id, labels in self.fleet.labels.items()
            if all_fit(matchers, {**labels, "instance": labels["host"]})
        }

    def lines(self, selector: Selector, *, exact: bool = False) -> list[Line]:
        """Give the series of a selector, with what it needs at all steps.

        Args:
            exact: every single sample is needed.
        """
        hosts = self.hosts(selector)
        if self._asks_for_the_present(selector):
            found, rest = self._present(selector, hosts)
        else:
            found, rest = [], hosts
        self.bounds.check_hosts(list(rest))
        window = self._window(selector, exact=exact)
        if self._is_plain(selector) and len(rest) > FEW_HOSTS:
            return found + self._together(selector, rest, window)
        for host_id, columns in self._columns(selector.metric, rest, window):
            mine = _lines(columns, rest[host_id], selector.matchers)
            self.bounds.count(len(mine), sum(len(line.times) for line in mine))
            found += mine
        return found

    def _columns(
        self, metric: str, host_ids: Iterable[int], window: Window
    ) -> Iterator[tuple[int, list[Columns]]]:
        """Read a metric of hosts ("": all of them), with an eye on the clock."""
        for found in columns_of(metric, host_ids, window):
            self.bounds.look_at_the_clock()
            yield found

    def _is_plain(self, selector: Selector) -> bool:
        """Say whether averages of short times will do, of a metric that a host has once: many hosts are read at once then."""
        known = CATALOGUE.get(stored_metric(selector.metric))
        once = known is not None and not known.instance
        return once and not selector.range and len(self.steps) > 1

    def _together(
        self,
        selector: Selector,
        hosts: Mapping[int, Mapping[str, str]],
        window: Window,
    ) -> list[Line]:
        """Read a metric of many hosts."""
        metric = stored_metric(selector.metric)
        start, end, _points = window
        many = store().read_many(list(hosts), metric, start, end, len(self.steps))
        found = []
        for host_id, values in many.lines.items():
            labels = labels_of(metric, hosts[host_id])
            rows = zip(many.times, values, strict=True)
            known = [(t, value) for t, value in rows if value is not None]
            if known and all_fit(selector.matchers, labels):
                times, plain = np.array(known).T
                width = many.resolution
                line = Line(labels, times, plain, plain, plain, width, rolled_up=True)
                found.append(line)
        self.bounds.count(len(found), sum(len(line.times) for line in found))
        return found

    def _window(self, selector: Selector, *, exact: bool) -> Window:
        """Say from when to when to read, and how many points at most."""
        back = selector.range or settings.PROM_LOOKBACK_SECONDS
        start = self.steps.start - selector.offset - back
        end = self.steps.end - selector.offset
        wanted = max(min(self.steps.step or back, back / IN_A_RANGE), 1.0)
        points = max(math.ceil((end - start) / wanted), LEAST_POINTS)
        # The store's end is exclusive, and a sample of this very moment counts.
        return (
            max(start, 0.0),
            max(end, 0.0) + 0.001,
            MOST_POINTS if exact else min(points, MOST_POINTS),
        )

    def _asks_for_the_present(self, selector: Selector) -> bool:
        """Say whether the newest sample of each host answers: a metric of the agents, at one moment, now."""
        return (
            len(self.steps) == 1
            and not selector.offset
            and not selector.range
            and selector.metric in PUBLIC
            and abs(time.time() - self.steps.end) < PRESENT_SECONDS
        )

    def _present(
        self, selector: Selector, hosts: Mapping[int, Mapping[str, str]]
    ) -> tuple[list[Line], dict[int, Mapping[str, str]]]:
        """Give the newest values, and the hosts of which more must be read: their newest sample lacks the metric."""
        found: list[Line] = []
        rest: dict[int, Mapping[str, str]] = {}
        metric = stored_metric(selector.metric)
        now = self.steps.end
        for host_id, newest in store().latest(hosts).items():
            if newest.time <= now - settings.PROM_LOOKBACK_SECONDS:
                continue
            names = [n for n in newest.values if n.partition("|")[0] == metric]
            if not names:
                rest[host_id] = hosts[host_id]
            for name in names:
                labels = labels_of(name, hosts[host_id])
                if all_fit(selector.matchers, labels):
                    # What came in while we asked is not of the future.
                    at = np.array([min(newest.time, now)])
                    value = np.array([newest.values[name]])
                    found.append(Line(labels, at, value, value, value))
        self.bounds.count(len(found), len(found))
        return found, rest

    def known(self, matchers: tuple[Matcher, ...]) -> list[Labels]:
        """Give the labels of the series that were there between the first and the last step."""
        selector = Selector(matchers)
        hosts = self.hosts(selector)
        self.bounds.check_hosts(list(hosts))
        found = []
        window = (self.steps.start, self.steps.end + 0.001, IN_A_RANGE)
        for host_id, columns in self._columns(selector.metric, hosts, window):
            names = [name for each in columns for name in sorted(each.points)]
            mine = [labels_of(name, hosts[host_id]) for name in names]
            mine = [each for each in mine if all_fit(matchers, each)]
            self.bounds.count(len(mine), 0)
            found += mine
        return found

    def newest_names(self) -> set[tuple[tuple[str, str], ...]]:
        """Give the labels of what the hosts sent last, without those of the hosts; of many hosts, what their agents sent."""
        hosts = list(self.fleet.labels)
        many = len(hosts) > settings.PROM_QUERY_MAX_HOSTS
        newest = store().latest(hosts if many else all_keys(hosts)).values()
        return {told(name) for each in newest for name in each.values}


def _lines(
    found: Sequence[Columns], host: Mapping[str, str], matchers: tuple[Matcher, ...]
) -> list[Line]:
    lines = []
    for columns in found:
        for name, p in sorted(columns.points.items()):
            labels = labels_of(name, host)
            if len(p.times) and all_fit(matchers, labels):
                lines.append(line_of(labels, p, columns))
    return lines


def line_of(labels: Labels, points: Points, columns: Columns) -> Line:
    """Give the series of some points that were read together with others."""
    values = (points.average, points.lows, points.highs)
    width, rolled_up = columns.resolution, bool(columns.slot)
    return Line(labels, points.times, *values, width, rolled_up)

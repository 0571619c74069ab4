"""Takes in what Prometheus writes: which series are whose, which are left out and why, all of a request stored or none."""

import math
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.conf import settings

from cmdb.services.recent import Recent
from monitor.body import VALUE_LIMIT
from monitor.noted import Notes
from monitor.plausible import Dropped
from monitor.prometheus import hosts, metric_names, places_of_samples
from monitor.prometheus.names import (
    LABEL_NAME,
    METRIC_NAME,
    NAME,
    PUBLIC,
    place_of,
    written_name,
)
from monitor.prometheus.series_book import BOOK, Entry, key_of
from monitor.prometheus.wire import BadWriteError, Written, labels_of

# Why a series or a sample is left out.
UNKNOWN_HOST = "unknown_host"
BAD_SERIES = "bad_series"
TOO_MANY_SERIES = "too_many_series"
TOO_OLD = "too_old"
IN_FUTURE = "in_future"
NOT_A_NUMBER = "not_a_number"
HISTOGRAM = "histogram"
TOO_MANY_SAMPLES = "too_many_samples"
# The store's words.
REASONS = {"left_out": TOO_MANY_SERIES, "hour_full": TOO_MANY_SAMPLES}
# Nobody needs to be told: a marker of staleness is no value, and a value beyond all sense is one that says "no limit".
SILENT = frozenset({NOT_A_NUMBER})
EXAMPLES = 3
# Hosts of which it was noted a moment ago that they have too many series.
_told = Recent(60.0, 50_000)
# Prometheus logs the answer; its administrator reads it there.
SENTENCES = {
    UNKNOWN_HOST: "%(count)s samples are of no host that the token may write to: add the host, or drop the series with write_relabel_configs",
    BAD_SERIES: "%(count)s samples are of series that break a rule",
    TOO_MANY_SERIES: "%(count)s samples are of new series of hosts that have too many",
    TOO_MANY_SAMPLES: "%(count)s samples are of hosts that have too many in this hour: scrape them less often",
    TOO_OLD: "%(count)s samples are too old",
    IN_FUTURE: "%(count)s samples lie in the future: compare the clocks",
    HISTOGRAM: "%(count)s native histograms were left out: the portal keeps plain series",
}

# host id -> Unix milliseconds -> name in the store -> value
Gathered = defaultdict[int, defaultdict[int, dict[str, float]]]


@dataclass(slots=True)
class Outcome:
    """What became of a request.

    Attributes:
        stored: values that are kept now, also those that were kept before.
        left_out: reason -> how many samples (of histograms: series).
        examples: reason -> some names, for the sentence.
        too_many: host id -> its series that are too many.
    """

    stored: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    too_many: Counter[int] = field(default_factory=Counter)

    def leave_out(self, reason: str, count: int, example: str = "") -> None:
        """Count what is not kept."""
        self.left_out[reason] += count
        shown = self.examples.setdefault(reason, [])
        if example and example not in shown and len(shown) < EXAMPLES:
            shown.append(example[:100])


def receive(*, user: Any, asker: str, request: Iterable[Written]) -> Outcome:
    """Store the samples of a request durably.

    Args:
        user: whose permission counts, as far as the token reaches.
        asker: names the token, so that what one may write to says nothing about another.

    Raises:
        StoreUnavailable: nothing is acknowledged; Prometheus sends it again.
    """
    outcome = Outcome()
    gathered: Gathered = defaultdict(lambda: defaultdict(dict))
    for host_id, name, series in _with_hosts(user, asker, list(request), outcome):
        _gather(gathered[host_id], name, series, outcome)
    batches = {host: moments for host, moments in gathered.items() if moments}
    if batches:
        outcome.stored, beyond = places_of_samples.keep(batches)
        for word, count in beyond.items():
            outcome.leave_out(REASONS[word], count)
    metric_names.note({h: _names(moments) for h, moments in batches.items()})
    _note_too_many(outcome.too_many)
    return outcome


def _note_too_many(found: Mapping[int, int]) -> None:
    """Keep with hosts that they have too many series; once a minute each."""
    notes = Notes()
    for host_id, count in found.items():
        if _told.get(host_id) is None:
            _told.put(host_id, True)
            notes.note_dropped(host_id, Dropped(left_out={"series": count}))
    notes.write()


def _names(moments: Mapping[int, Mapping[str, float]]) -> set[str]:
    return {name for values in moments.values() for name in values}


def _with_hosts(
    user: Any, asker: str, request: list[Written], outcome: Outcome
) -> Iterator[tuple[int, str, Written]]:
    """Give (host id, name in the store, series) of what has a host and keeps the limits."""
    keys = [key_of(asker, series.labels) for series in request]
    entries = [BOOK.entry(key) for key in keys]
    fresh = {
        at: labels
        for at, series in enumerate(request)
        if entries[at] is None and (labels := _checked(series, outcome))
    }
    places = {place for labels in fresh.values() for _, place, _ in _places(labels)}
    places |= {entry.place for entry in entries if entry}
    found = BOOK.hosts(asker, places, partial(hosts.find, user))
    for at, series in enumerate(request):
        if series.histograms:
            outcome.leave_out(HISTOGRAM, series.histograms)
        entry = entries[at]
        if entry is None and at in fresh:
            entry = _admitted(keys[at], fresh[at], found, series, outcome)
        elif entry and not found[entry.place]:
            outcome.leave_out(UNKNOWN_HOST, len(series.samples), entry.place)
        if entry and found[entry.place]:
            yield found[entry.place], entry.name, series


def _checked(series: Written, outcome: Outcome) -> dict[str, str] | None:
    """Read the labels of a series that is new here; None, and counted, where they break a rule."""
    try:
        labels = labels_of(series.labels)
    except BadWriteError as error:
        outcome.leave_out(BAD_SERIES, len(series.samples), error.message)
        return None
    if fault := _fault(labels):
        outcome.leave_out(BAD_SERIES, len(series.samples), fault)
        return None
    return labels


def _fault(labels: Mapping[str, str]) -> str:
    """Say what is wrong with labels, "" where nothing is."""
    name = labels.get(NAME, "")
    if not METRIC_NAME.fullmatch(name):
        return f"{name[:50]!a} is no name of a metric"
    if name in PUBLIC:
        return f"{name} is the portal's own"
    if len(labels) > settings.PROM_MAX_LABELS:
        return (
            f"{name} has {len(labels)} labels, the most is {settings.PROM_MAX_LABELS}"
        )
    most = settings.PROM_MAX_LABEL_CHARACTERS
    for label, value in labels.items():
        if label != NAME and not LABEL_NAME.fullmatch(label):
            return f"{label[:50]!a} is no name of a label"
        if max(len(label), len(value)) > most:
            return f"{name} has a label of more than {most} characters"
    return ""


def _places(labels: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Give (label, place, port) of the labels that may name the host, in the order of the settings."""
    for label in settings.PROM_HOST_LABELS:
        if value := labels.get(label):
            yield (label, *place_of(value))


def _admitted(
    key: bytes,
    labels: Mapping[str, str],
    found: Mapping[str, int],
    series: Written,
    outcome: Outcome,
) -> Entry | None:
    """Give a new series its place and name, None where it has no host or its host too many."""
    said = "(no label names a host)"
    for label, place, port in _places(labels):
        if host_id := found[place]:
            entry = Entry(place, written_name(labels, label, port))
            if BOOK.admit(key, entry, host_id, _most_series()):
                return entry
            outcome.leave_out(TOO_MANY_SERIES, len(series.samples), place)
            outcome.too_many[host_id] += 1
            return None
        said = place
    outcome.leave_out(UNKNOWN_HOST, len(series.samples), said)
    return None


def _most_series() -> int:
    """Say how many series a host may have: no more than the store would keep of one lane."""
    own, stores = settings.PROM_MAX_SERIES_PER_HOST, settings.METRICS_CUSTOM_SERIES
    return min(own, stores)


def _gather(
    moments: defaultdict[int, dict[str, float]],
    name: str,
    series: Written,
    outcome: Outcome,
) -> None:
    """Put the samples of a series that may be kept beside those of the same moment."""
    now = time.time()
    oldest = (now - settings.AGENT_MAX_SAMPLE_AGE_SECONDS) * 1000
    newest = (now + settings.AGENT_MAX_CLOCK_SKEW_SECONDS) * 1000
    for moment, value in series.samples:
        if not math.isfinite(value) or abs(value) > VALUE_LIMIT:
            outcome.leave_out(NOT_A_NUMBER, 1)
        elif moment < oldest:
            outcome.leave_out(TOO_OLD, 1, name)
        elif moment > newest:
            outcome.leave_out(IN_FUTURE, 1, name)
        else:
            moments[moment][name] = value

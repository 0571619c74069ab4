"""Latency and ups and downs of checks in the metric store: each check is a series of its own."""

import logging
import time
from collections.abc import Mapping
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from monitor.checks.verdicts import Outcome
from monitor.metric_store import store
from monitor.models import ServiceCheck, State
from monitor.series import Sample, SeriesSet
from monitor.store import StoreUnavailable

logger = logging.getLogger(__name__)
# The store counts by host: checks have numbers far above those of hosts, and mix with no host's values.
FIRST_NUMBER = 8_000_000_000
UP, LATENCY = "custom.check_up", "custom.check_latency_ms"
POINTS = 120
# A store that is away is asked again after so long: checks must not wait for it at each step.
PAUSE_SECONDS = 30.0
_away_until = 0.0


def number_of(check_id: int) -> int:
    """Give the number under which the store keeps a check."""
    return FIRST_NUMBER + check_id


def write(outcomes: Mapping[int, Outcome]) -> None:
    """Write one sample a check, all at once; a store that is away costs the charts only."""
    global _away_until
    now = time.time()
    if time.monotonic() < _away_until:
        return
    batches = {
        number_of(pk): [Sample(now, _values(outcome))]
        for pk, outcome in outcomes.items()
        if outcome.state != State.UNKNOWN
    }
    try:
        if batches:
            store().write_many(batches)
    except StoreUnavailable as error:
        _away_until = time.monotonic() + PAUSE_SECONDS
        logger.warning("samples of %s checks are lost: %s", len(batches), error)


def _values(outcome: Outcome) -> dict[str, float]:
    values = {UP: 0.0 if outcome.state == State.DOWN else 1.0}
    if outcome.latency_ms is not None:
        values[LATENCY] = outcome.latency_ms
    return values


def latencies(check: ServiceCheck, hours: int = 24) -> list[float | None]:
    """Give the latency of the last hours in ms, for a small line; empty where the store is away."""
    end = timezone.now()
    start = end - timedelta(hours=hours)
    try:
        found: SeriesSet = store().series(
            number_of(check.pk), [LATENCY], start.timestamp(), end.timestamp(), POINTS
        )
    except StoreUnavailable:
        return []
    line = found.series.get(LATENCY)
    return list(line.average) if line else []


def stale_words(site: str) -> str:
    """Say that nobody asks."""
    if site:
        return _("No worker of the site %(site)s asks it.") % {"site": site}
    return _("No worker asks it.")

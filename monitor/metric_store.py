"""This process's metric store, as the settings say."""

import functools

from django.conf import settings

from monitor.body import Limits
from monitor.records import StoreOptions
from monitor.store import MetricStore


@functools.cache
def store() -> MetricStore:
    """Give the one store of this process; it connects at first use."""
    options = StoreOptions(
        raw_seconds=settings.METRICS_RAW_HOURS * 3600,
        rollup_seconds=settings.METRICS_TIER_DAYS * 86400,
        sample_seconds=settings.AGENT_SAMPLE_SECONDS,
    )
    return MetricStore(settings.MONGO_URL, settings.MONGO_DATABASE, options)


def limits() -> Limits:
    """Say how much an agent may send at once."""
    return Limits(
        body_bytes=settings.AGENT_MAX_BODY_BYTES,
        inflated_bytes=settings.AGENT_MAX_INFLATED_BYTES,
        skew_seconds=settings.AGENT_MAX_CLOCK_SKEW_SECONDS,
        age_seconds=settings.AGENT_MAX_SAMPLE_AGE_SECONDS,
    )

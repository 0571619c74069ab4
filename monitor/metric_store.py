"""This process's metric store, as the settings say."""

import functools

from django.conf import settings

from monitor.body import Limits
from monitor.plausible import Plans, Quotas
from monitor.policy import default_policy, retention_of
from monitor.prometheus.lanes import owner_of
from monitor.store import MetricStore
from monitor.tiers import StoreOptions


@functools.cache
def store() -> MetricStore:
    """Give the one store of this process; it connects at first use."""
    options = StoreOptions(
        retention=default_policy().retention,
        retention_of=retention_of,
        sample_seconds=settings.AGENT_SAMPLE_SECONDS,
        custom_series=settings.METRICS_CUSTOM_SERIES,
        daily_series=settings.METRICS_DAILY_SERIES,
        hour_samples=_hour_samples,
    )
    return MetricStore(settings.MONGO_URL, settings.MONGO_DATABASE, options)


def _hour_samples(key: int) -> int:
    """Say how many samples of an hour are kept under a key."""
    most: int = settings.METRICS_HOUR_SAMPLES
    # What others write of a host has a time of its own for each exporter.
    return most if owner_of(key) == key else 4 * most


def limits() -> Limits:
    """Say how much an agent may send at once."""
    return Limits(
        body_bytes=settings.AGENT_MAX_BODY_BYTES,
        inflated_bytes=settings.AGENT_MAX_INFLATED_BYTES,
        skew_seconds=settings.AGENT_MAX_CLOCK_SKEW_SECONDS,
        age_seconds=settings.AGENT_MAX_SAMPLE_AGE_SECONDS,
        tables=settings.AGENT_MAX_TABLES,
        rows=settings.AGENT_MAX_TABLE_ROWS,
        shapes=settings.AGENT_MAX_SHAPES,
    )


@functools.cache
def plans() -> Plans:
    """Give what this process knows of sets of names, with the quotas of a host."""
    quotas = Quotas(
        mounts=settings.AGENT_MAX_MOUNTS,
        interfaces=settings.AGENT_MAX_INTERFACES,
        disks=settings.AGENT_MAX_DISKS,
        containers=settings.AGENT_MAX_CONTAINERS,
        custom=settings.AGENT_MAX_CUSTOM_SERIES,
    )
    return Plans(quotas)

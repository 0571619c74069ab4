"""Samples of the past that go straight into the wide tiers, as those of demo data do."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from monitor.records import DAY_SECONDS
from monitor.rollups import Samples, coarsen, join_samples, roll
from monitor.series import Sample
from monitor.tiers import DAY, TEN_MINUTES, TWO_HOURS
from monitor.upkeep import Upkeep


def keep_history(upkeep: Upkeep, host_id: int, samples: Sequence[Sample]) -> None:
    """Compute and write slots of ten minutes and wider; those that exist with more samples stay."""
    if not samples:
        return
    found = as_samples(samples)
    first = int(found.times[0]) // 1000 // DAY_SECONDS * DAY_SECONDS
    days = (int(found.times[-1]) // 1000 - first) // DAY_SECONDS + 1
    tens = roll(found, first, TEN_MINUTES.seconds, days * TEN_MINUTES.slots)
    upkeep.keep(host_id, TEN_MINUTES, tens)
    for tier in (TWO_HOURS, DAY):
        slots = days * DAY_SECONDS // tier.seconds
        upkeep.keep(host_id, tier, coarsen(tens, first, tier.seconds, slots))


def as_samples(samples: Sequence[Sample]) -> Samples:
    """Give samples as columns, ascending; of equal milliseconds the first stays."""
    by_names = itertools.groupby(samples, key=lambda sample: tuple(sample.values))
    parts: list[Any] = []
    for names, some in by_names:
        listed = list(some)
        times = np.array([sample.milliseconds for sample in listed], np.int64)
        unique, first = np.unique(times, return_index=True)
        rows = np.array([list(sample.values.values()) for sample in listed])
        parts.append(Samples(unique, names, rows[first].T))
    return join_samples(parts)

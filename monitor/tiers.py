"""The tiers in which measurements are kept: how fine each is, how it is cut into documents, how long it stays."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.records import DAY_SECONDS, HOUR_SECONDS

TierName = Literal["raw", "minute", "ten_minutes", "two_hours", "day"]


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier.

    Attributes:
        name: also the end of its collection's name.
        seconds: of one slot; 0 where the samples lie as they came.
        unit: seconds that a document covers.
        source: the tier that it is computed from.
        families: whether a document holds one family of metrics ("cpu"), or all of them.
    """

    name: TierName
    seconds: int
    unit: int
    source: TierName | None = None
    families: bool = True

    @property
    def table(self) -> str:
        """Name of its collection."""
        return f"tier_{self.name}"

    @property
    def slots(self) -> int:
        """Slots of a document."""
        return self.unit // self.seconds

    def unit_of(self, time: float) -> int:
        """Give the start of the document that a moment lies in, Unix seconds."""
        return int(time // self.unit) * self.unit


RAW = Tier("raw", 0, HOUR_SECONDS, families=False)
MINUTE = Tier("minute", 60, HOUR_SECONDS, "raw", families=False)
TEN_MINUTES = Tier("ten_minutes", 600, DAY_SECONDS, "raw")
TWO_HOURS = Tier("two_hours", 7200, 30 * DAY_SECONDS, "ten_minutes")
DAY = Tier("day", DAY_SECONDS, 360 * DAY_SECONDS, "ten_minutes")
# The finest first.
TIERS = (RAW, MINUTE, TEN_MINUTES, TWO_HOURS, DAY)
BY_NAME: Mapping[str, Tier] = {tier.name: tier for tier in TIERS}


@dataclass(frozen=True, slots=True)
class Retention:
    """How long each tier stays, in seconds; a tier of one day stays as long as that of two hours."""

    raw: float = 48 * HOUR_SECONDS
    minute: float = 14 * DAY_SECONDS
    ten_minutes: float = 90 * DAY_SECONDS
    two_hours: float = 730 * DAY_SECONDS

    def of(self, tier: Tier) -> float:
        """Give the seconds of a tier."""
        name = "two_hours" if tier.name == "day" else tier.name
        seconds: float = getattr(self, name)
        return seconds

    def __or__(self, other: "Retention") -> "Retention":
        """Join two: of each tier what stays longer."""
        return Retention(
            *(
                max(getattr(self, name), getattr(other, name))
                for name in ("raw", "minute", "ten_minutes", "two_hours")
            )
        )


RetentionOf = Callable[[Collection[int]], Mapping[int, Retention]]


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """Retention, expected sampling and patience.

    Attributes:
        retention: how long tiers stay where no policy says otherwise.
        retention_of: asks for the retention of hosts that have another.
        sample_seconds: how far apart samples are meant to be.
        select_seconds: wait for a server that answers.
        reply_seconds: wait for one answer.
        custom_series: how many series of custom metrics a host may have.
        daily_series: how many series of other metrics a host may have in a day.
        hour_samples: how many samples of a host an hour takes.
    """

    retention: Retention = Retention()
    retention_of: RetentionOf = lambda host_ids: {}
    sample_seconds: float = 15
    select_seconds: float = 2
    reply_seconds: float = 10
    custom_series: int = 5000
    daily_series: int = 10_000
    hour_samples: Callable[[int], int] = lambda host_id: 4000


def family_of(name: str) -> str:
    """Give the family of a metric: what stands before its first dot."""
    return name.partition("|")[0].partition(".")[0]


def tier_for(
    start: float,
    end: float,
    *,
    points: int,
    now: float,
    options: StoreOptions,
    tiers: Sequence[Tier] = TIERS,
) -> Tier:
    """Choose the finest tier that needs few enough points and reaches back far enough.

    Half as many points again are few enough: two of them share a bucket then.
    """
    span = end - start
    reaching = [t for t in tiers if start >= now - options.retention.of(t)]
    reaching = reaching or [tiers[-1]]
    fits = (
        tier
        for tier in reaching
        if span / (tier.seconds or options.sample_seconds) <= 1.5 * points
    )
    return next(fits, reaching[-1])

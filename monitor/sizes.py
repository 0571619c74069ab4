"""How much room measurements take now, and how much they will: `manage.py metrics_size`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.packed import unpack_block, unpack_samples
from monitor.records import DAY_SECONDS
from monitor.tiers import RAW, TIERS, Retention, Tier

# Documents of a tier that are looked into to learn how well they pack.
LOOKED_AT = 200
# What a number of a sample, or a slot of a series (sum, lowest, highest, last, count), takes where there is nothing
# to look at yet: measured with agents of docs/monitoring.md.
USUAL_BYTES: Mapping[str, float] = {
    "raw": 1.3,
    "minute": 5.5,
    "ten_minutes": 7.0,
    "two_hours": 7.0,
    "day": 8.0,
}
# A document's keys, and its places in two indexes.
DOCUMENT_BYTES = 250


@dataclass(frozen=True, slots=True)
class TierSize:
    """Size of one tier.

    Attributes:
        documents, bytes: what is there now; bytes as the store compresses them, where it says so.
        cell_bytes: of a number (raw) or a slot of a series, as measured.
        days: how long it stays.
        forecast: bytes when all of that time is filled.
    """

    tier: str
    documents: int
    bytes: int
    cell_bytes: float
    days: float
    forecast: float


@dataclass(frozen=True, slots=True)
class Fleet:
    """What a forecast is about: how many hosts, series of each, and seconds between samples."""

    hosts: int
    series: int
    sample_seconds: float


def sizes(db: Any, fleet: Fleet, retention: Retention) -> list[TierSize]:
    """Measure each tier, and forecast it."""
    found = []
    for tier in TIERS:
        documents, stored, cell_bytes = _measured(db, tier)
        seconds = retention.of(tier)
        cells = seconds / (tier.seconds or fleet.sample_seconds) * fleet.series
        units = (seconds / tier.unit + 1) * (8 if tier.families else 1)
        forecast = fleet.hosts * (cells * cell_bytes + units * DOCUMENT_BYTES)
        found.append(
            TierSize(
                tier.name,
                documents,
                stored,
                cell_bytes,
                seconds / DAY_SECONDS,
                forecast,
            )
        )
    return found


def _measured(db: Any, tier: Tier) -> tuple[int, int, float]:
    """Give documents, bytes on disk (or packed, where the store does not say), and bytes of a number or slot."""
    table = db[tier.table]
    size = cells = 0
    for doc in table.find({}, {"z": 1}).limit(LOOKED_AT):
        size += len(doc["z"])
        cells += _cells(tier, doc["z"])
    documents = table.estimated_document_count()
    stored = _storage(db, tier.table)
    return documents, stored, size / cells if cells else USUAL_BYTES[tier.name]


def _cells(tier: Tier, packed: bytes) -> int:
    if tier is RAW:
        return int(unpack_samples(packed).values.size)
    return int((unpack_block(packed, 0, tier.seconds).counts > 0).sum())


def _storage(db: Any, name: str) -> int:
    said = db.command("collStats", name)
    return int(said.get("storageSize") or said.get("size") or 0)


def total(found: Iterable[TierSize]) -> tuple[int, float]:
    """Add up what is there and what is to come."""
    listed = list(found)
    return sum(s.bytes for s in listed), sum(s.forecast for s in listed)

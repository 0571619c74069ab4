"""What a host looked like last: newest values and a short spark line; pure, no store."""

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from monitor.series import Sample

SPARK_POINTS = 60
SPARK_SECONDS = 60
SPARK_METRICS = ("cpu.busy_percent", "memory.used_percent", "load.1")
# Numbers of one spark point: its time and a value for each metric.
WIDTH = 1 + len(SPARK_METRICS)


@dataclass(frozen=True, slots=True)
class Spark:
    """Up to 60 points, at most one a minute, oldest first.

    Attributes:
        times: Unix seconds.
        cpu: % busy.
        memory: % used.
        load: runnable tasks, 1-minute average. None in any of them: not measured.
    """

    times: list[float]
    cpu: list[float | None]
    memory: list[float | None]
    load: list[float | None]


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest sample of one host.

    Attributes:
        host_id: the CMDB's key of the host.
        time: Unix seconds of the newest sample, by the host's clock.
        values: metric name -> number; empty for a host that is silent for longer than all retention.
        spark: the last hour or so.
    """

    host_id: int
    time: float
    values: dict[str, float]
    spark: Spark


def minute_of(milliseconds: int) -> int:
    """Give the spark slot a moment belongs to."""
    return milliseconds // (SPARK_SECONDS * 1000)


def extend_ring(packed: bytes, samples: Iterable[Sample]) -> bytes:
    """Append the first sample of each minute that is newer than the ring's last point.

    Args:
        packed: a ring as this function gives it, b"" for a new one.
        samples: in ascending order of time.
    """
    ring = array("d")
    ring.frombytes(packed)
    last = minute_of(round(ring[-WIDTH] * 1000)) if ring else -1
    for sample in samples:
        minute = minute_of(sample.milliseconds)
        if minute > last:
            last = minute
            ring.append(sample.time)
            ring.extend(_points(sample.values))
    return ring[-SPARK_POINTS * WIDTH :].tobytes()


def _points(values: Mapping[str, float]) -> list[float]:
    return [values.get(name, math.nan) for name in SPARK_METRICS]


def unpack_ring(packed: bytes) -> Spark:
    """Read a ring."""
    ring = array("d")
    ring.frombytes(packed)
    cpu, memory, load = (_known(ring[i::WIDTH]) for i in range(1, WIDTH))
    return Spark(times=list(ring[::WIDTH]), cpu=cpu, memory=memory, load=load)


def _known(values: Sequence[float]) -> list[float | None]:
    # Only NaN differs from itself.
    return [value if value == value else None for value in values]

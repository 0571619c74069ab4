"""A batch: samples of one boot and one clock that go to the portal in one request."""

from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from agent.clock import clock_of
from agent.segment import Sample, Segment


class Batch(NamedTuple):
    """Samples of one boot, in the order of their times, taken by one clock (see agent/clock.py); segment None = memory."""

    boot_id: str
    samples: List[Sample]
    segment: Optional[Segment]
    clock: Optional[float] = None


def key(sample: Dict[str, Any]) -> Tuple[str, int]:
    return sample["boot_id"], sample["seq"]


def newest(waiting: List[Sample], limit: int, segment: Optional[Segment]) -> Batch:
    """The newest of them that share the boot and the clock of the last one."""
    last = waiting[-1]
    boot_id, clock = last["boot_id"], clock_of(last)
    same = [
        entry
        for entry in waiting
        if entry["boot_id"] == boot_id and clock_of(entry) == clock
    ]
    return Batch(str(boot_id), same[-limit:], segment, clock)


def numbers(batch: Batch) -> Set[int]:
    return {entry["seq"] for entry in batch.samples}

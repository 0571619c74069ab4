"""A batch: samples of one boot that go to the portal in one request."""

from typing import Any, Dict, List, NamedTuple, Optional, Set, Tuple

from agent.segment import Sample, Segment


class Batch(NamedTuple):
    """Samples of one boot, in the order of their times; segment None = memory."""

    boot_id: str
    samples: List[Sample]
    segment: Optional[Segment]


def key(sample: Dict[str, Any]) -> Tuple[str, int]:
    return sample["boot_id"], sample["seq"]


def newest(waiting: List[Sample], limit: int, segment: Optional[Segment]) -> Batch:
    """The newest of them that share the boot of the last one."""
    boot_id = str(waiting[-1]["boot_id"])
    same = [entry for entry in waiting if entry["boot_id"] == boot_id]
    return Batch(boot_id, same[-limit:], segment)


def numbers(batch: Batch) -> Set[int]:
    return {entry["seq"] for entry in batch.samples}

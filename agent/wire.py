"""The bodies of a metrics post and of its answer."""

import logging
import time
from typing import Any, Dict, Optional, Sequence, Set

from agent.batch import Batch
from agent.clock import base
from agent.identity import boot_id
from agent.logs import quoted

KEPT = ("stored", "duplicate", "refused")
log = logging.getLogger(__name__)


def metrics(
    batch: Batch,
    clock_offset: Optional[float] = None,
    tables: Sequence[Dict[str, Any]] = (),
    left_out: Optional[Dict[str, int]] = None,
) -> Dict[str, Any]:
    """As docs/agent-protocol.md says; what is not known is left out."""
    samples = [
        {name: entry[name] for name in ("seq", "time", "values")}
        for entry in batch.samples
    ]
    body: Dict[str, Any] = {
        "boot_id": batch.boot_id,
        "sent_at": time.time(),
        "samples": samples,
    }
    if batch.clock is not None:
        body.update(clock=batch.clock, current_clock=round(base(), 1))
    running = boot_id()
    if running != batch.boot_id:
        body["current_boot_id"] = running
    if clock_offset is not None:
        body["clock_offset"] = clock_offset
    if tables:
        body["tables"] = list(tables)
    if left_out:
        body["left_out"] = left_out
    return body


def named_samples(body: Dict[str, Any]) -> Set[int]:
    """Sequence numbers that the answer answers for; refused ones are logged at once."""
    named, refused = set(), []
    results = body.get("results")
    for result in results if isinstance(results, list) else []:
        if isinstance(result, dict) and result.get("status") in KEPT:
            if isinstance(result.get("seq"), int):
                named.add(result["seq"])
            if result["status"] == "refused":
                refused.append(result.get("message"))
    if refused:
        log.warning(
            "event=sample_refused count=%d message=%s", len(refused), quoted(refused[0])
        )
    return named

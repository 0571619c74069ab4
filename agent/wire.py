"""The bodies of a metrics post and of its answer."""

import logging
import time
from typing import Any, Dict, Set

from agent.logs import quoted
from agent.spool import Batch

KEPT = ("stored", "duplicate", "refused")
log = logging.getLogger(__name__)


def metrics(batch: Batch) -> Dict[str, Any]:
    samples = [
        {name: entry[name] for name in ("seq", "time", "values")}
        for entry in batch.samples
    ]
    return {"boot_id": batch.boot_id, "sent_at": time.time(), "samples": samples}


def numbers(batch: Batch) -> Set[int]:
    return {entry["seq"] for entry in batch.samples}


def named_samples(body: Dict[str, Any]) -> Set[int]:
    """Sequence numbers that the answer answers for; refused ones are logged."""
    named = set()
    results = body.get("results")
    for result in results if isinstance(results, list) else []:
        if isinstance(result, dict) and result.get("status") in KEPT:
            if isinstance(result.get("seq"), int):
                named.add(result["seq"])
            if result["status"] == "refused":
                log.warning(
                    "event=sample_refused message=%s", quoted(result.get("message"))
                )
    return named

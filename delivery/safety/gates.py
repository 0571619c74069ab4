"""The error-rate gate of a canary: measured values of its hosts since the switch, against a limit."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.utils.translation import gettext as _

from delivery.way_models import Way
from monitor.metric_store import store
from monitor.store import StoreUnavailable

POINTS = 300
logger = logging.getLogger(__name__)


def judge_gate(
    way: Mapping[str, Any],
    host_ids: Sequence[int],
    since: datetime,
    until: datetime,
    *,
    is_over: bool,
) -> str:
    """Say what is wrong with the measured value of some hosts; "" where nothing is, or where no value is asked for.

    Args:
        is_over: the time of watching is over: a value that nobody measured is no good sign then.
    """
    metric = way.get("gate_metric", "")
    if not metric:
        return ""
    values = _averages(metric, host_ids, since, until)
    if values is None:
        return _("The measured values cannot be read.") if is_over else ""
    if is_over and set(host_ids) - set(values):
        return (
            _("No host sent %(metric)s while it was watched.") % {"metric": metric}
            if not values
            else _("Not all hosts sent %(metric)s while they were watched.")
            % {"metric": metric}
        )
    bad = [value for value in values.values() if _is_bad(way, value)]
    if not bad:
        return ""
    words = _("%(metric)s is %(value)s, and the limit is %(limit)s.")
    limit = way["gate_limit"]
    return words % {"metric": metric, "value": f"{bad[0]:g}", "limit": f"{limit:g}"}


def _is_bad(way: Mapping[str, Any], value: float) -> bool:
    if way["gate_comparison"] == Way.Comparison.BELOW:
        return value < way["gate_limit"]
    return value > way["gate_limit"]


def _averages(
    metric: str, host_ids: Sequence[int], since: datetime, until: datetime
) -> dict[int, float] | None:
    """Give each host's average over a time, of those that sent anything; None where they cannot be read."""
    start, end = since.timestamp(), until.timestamp()
    try:
        return _read(metric, host_ids, start, max(end, start + 1))
    except StoreUnavailable:
        return None
    except DatabaseError:
        raise
    except Exception:
        # A damaged document, or a request that the store refuses: a deploy must not hang in that, nor its cancel.
        logger.exception("%s of %s hosts cannot be read", metric, len(host_ids))
        return None


def _read(
    metric: str, host_ids: Sequence[int], start: float, end: float
) -> dict[int, float]:
    found = store().read_many(host_ids, metric, start, end, POINTS)
    known = {
        pk: [value for value in line if value is not None]
        for pk, line in found.lines.items()
    }
    return {pk: sum(line) / len(line) for pk, line in known.items() if line}

"""What reports leave behind in SQL: signs of life, and what of them was not kept; gathered and written together."""

import threading
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from cmdb.models import Host
from cmdb.services import signs
from cmdb.services.signs import Sign
from monitor.models import HostIntake
from monitor.plausible import Dropped

# Names come from hosts: so many of them are counted.
METRICS_COUNTED = 100
KINDS_COUNTED = 40


class Notes:
    """Gathers notes of many reports until somebody writes them; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._signs: dict[int, Sign] = {}
        self._dropped: dict[int, Dropped] = {}

    def note_sign(self, agent_id: int, sign: Sign) -> None:
        """Note a sign of life of an agent (by its pk); the last one counts."""
        with self._lock:
            self._signs[agent_id] = sign

    def note_dropped(self, host_id: int, dropped: Dropped) -> None:
        """Add what was not kept of a report of a host."""
        with self._lock:
            known = self._dropped.setdefault(host_id, Dropped())
            known.implausible.update(dropped.implausible)
            known.left_out.update(dropped.left_out)

    def write(self) -> None:
        """Write what was gathered and forget it, also where that fails: reports go on, and say it again.

        Raises:
            DatabaseError: nothing was written.
        """
        with self._lock:
            seen, dropped = self._signs, self._dropped
            self._signs, self._dropped = {}, {}
        if seen:
            signs.note_signs(seen)
        if dropped:
            _write_dropped(dropped)


@transaction.atomic
def _write_dropped(found: Mapping[int, Dropped]) -> None:
    there = set(Host.objects.filter(pk__in=found).values_list("pk", flat=True))
    rows = HostIntake.objects.select_for_update().in_bulk(list(there))
    now = timezone.now()
    for host_id in there:
        row = rows.get(host_id) or HostIntake(host_id=host_id)
        _forget_old(row)
        for metric, count in found[host_id].implausible.items():
            if _is_noted(row, "implausible", metric, METRICS_COUNTED, now):
                row.implausible[metric] = row.implausible.get(metric, 0) + count
        for kind, count in found[host_id].left_out.items():
            if count and _is_noted(row, "left_out", kind, KINDS_COUNTED, now):
                row.left_out[kind] = count
        row.noted_at = now
        row.save()


def _forget_old(row: HostIntake) -> None:
    """Take out of a row what did not happen for long."""
    for name in ("implausible", "left_out"):
        counts = getattr(row, name)
        for key in [key for key in counts if not row.times_of(f"{name}.{key}")]:
            del counts[key]
            row.seen.pop(f"{name}.{key}", None)


def _is_noted(row: HostIntake, name: str, key: str, most: int, now: datetime) -> bool:
    """Note when a line happened; False where the host has too many lines."""
    counts, line = getattr(row, name), f"{name}.{key}"
    if key not in counts and len(counts) >= most:
        return False
    moment = round(now.timestamp())
    row.seen[line] = [row.seen.get(line, [moment])[0], moment]
    return True


def note_clock(host_id: int, boot: str, seconds: int) -> None:
    """Keep by how much the newest samples of a host are moved, and since when."""
    clock = {
        "clock_seconds": seconds,
        "clock_boot": boot,
        "clock_since": timezone.now(),
    }
    if Host.objects.filter(pk=host_id).exists():
        HostIntake.objects.update_or_create(host_id=host_id, defaults=clock)

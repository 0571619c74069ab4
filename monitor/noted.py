"""What reports leave behind in SQL: signs of life, and what of them was not kept; gathered and written together."""

import threading
from collections.abc import Mapping

from django.db import transaction

from cmdb.models import Host
from cmdb.services import signs
from cmdb.services.signs import Sign
from monitor.models import HostIntake
from monitor.plausible import Dropped

# Names come from hosts: so many of them are counted.
METRICS_COUNTED = 100


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
    for host_id in there:
        row = rows.get(host_id) or HostIntake(host_id=host_id)
        for metric, count in found[host_id].implausible.items():
            if metric in row.implausible or len(row.implausible) < METRICS_COUNTED:
                row.implausible[metric] = row.implausible.get(metric, 0) + count
        row.left_out = found[host_id].left_out or row.left_out
        row.save()

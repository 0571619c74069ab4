"""Which hosts are asked for their packages: a page asks, the next answer to the agent says so."""

import threading
import time
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from adminset import audit
from adminset.audit import Actor
from cmdb.models import Host
from monitor.package_models import HostPackages

# Each process looks this often, not for every report.
LOOK_SECONDS = 2.0

_lock = threading.Lock()
_seen: tuple[float, frozenset[int]] = (float("-inf"), frozenset())


@transaction.atomic
def ask(*, actor: Actor, hosts: Iterable[Host]) -> int:
    """Ask hosts for their packages; gives how many are asked that were not before."""
    chosen = {host.pk: host for host in hosts}
    waiting = HostPackages.objects.waiting().filter(pk__in=chosen)
    known = set(waiting.values_list("pk", flat=True))
    new = {key: host for key, host in chosen.items() if key not in known}
    HostPackages.objects.bulk_create(
        [
            HostPackages(
                host_id=key, asked_at=timezone.now(), asked_by=actor.audit_name[:150]
            )
            for key in new
        ],
        update_conflicts=True,
        unique_fields=["host"],
        update_fields=["asked_at", "asked_by"],
    )
    for host in new.values():
        audit.record(actor, "host.ask_packages", host)
    transaction.on_commit(forget)
    return len(new)


def look() -> None:
    """Look who is asked, each 2 seconds at most.

    Raises:
        DatabaseError: the database is away.
    """
    global _seen
    with _lock:
        if time.monotonic() - _seen[0] < LOOK_SECONDS:
            return
        rows = HostPackages.objects.waiting().values_list("pk", flat=True)
        _seen = (time.monotonic(), frozenset(rows))


def was_asked(host_id: int) -> bool:
    """Say whether a host is asked, by the last look of this process; asks nobody."""
    return host_id in _seen[1]


def answered(host_id: int) -> None:
    """Ask a host no more, before the next look says so."""
    global _seen
    with _lock:
        _seen = (_seen[0], _seen[1] - {host_id})


def forget() -> None:
    """Look anew at the next question."""
    global _seen
    with _lock:
        _seen = (float("-inf"), frozenset())

"""The hosts of a run that is being made, as rows: in the parts of the queues that reach them, and in the trail."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from cmdb.models import Host
from tasks.models import Run, RunHost, RunPart
from tasks.sites.questions import queues_of

NAMES_IN_TRAIL = 100


def place(
    run: Run, placed: Sequence[tuple[Host, int]], *, urgent: bool = False
) -> None:
    """Write the hosts of a run, in their batches, into the parts of the queues that reach them.

    Args:
        urgent: what the portal's own workers reach is done by those that keep themselves free.
    """
    found = queues_of(host for host, _batch in placed)
    names = {pk: own_queue(queue, urgent=urgent) for pk, queue in found.items()}
    parts = {
        queue: RunPart.objects.create(run=run, queue=queue)
        for queue in dict.fromkeys(names.values())
    }
    RunHost.objects.bulk_create(
        _row(run, host, part=parts[names[host.pk]], batch=batch)
        for host, batch in placed
    )


def own_queue(queue: str, *, urgent: bool) -> str:
    """Give the queue for what is urgent: in place of the portal's own that of the workers that keep themselves free."""
    return settings.URGENT_QUEUE if urgent and queue == settings.RUN_QUEUE else queue


def leave_out(run: Run, hosts: Sequence[Host]) -> None:
    """Show the hosts outside the run's limit, with the reason; no worker ever gets them."""
    words = _("Left out: it is outside the limit of the run.")
    left_out = {
        "status": RunHost.Status.SKIPPED,
        "limit": RunHost.OUTSIDE,
        "explanation": words,
        "ended_at": timezone.now(),
    }
    RunHost.objects.bulk_create(_row(run, host, **left_out) for host in hosts)


def _row(run: Run, host: Host, **fields: Any) -> RunHost:
    address = host.address or ""
    return RunHost(
        run=run, host=host, host_name=host.hostname, address=address, **fields
    )


def named(hosts: Sequence[Host]) -> list[str]:
    """Name hosts for the trail: the first of them, and how many more there are.

    The names stay in the line: nobody can alter the trail, as the rows of the run could be. Who reads a run's history with a
    scope sees the names of the own hosts only (adminset/crud/history.py takes the others out).
    """
    names = [host.hostname for host in hosts[:NAMES_IN_TRAIL]]
    more = len(hosts) - len(names)
    if more > 0:
        words = ngettext("and %(count)s more", "and %(count)s more", more)
        names.append(words % {"count": more})
    return names

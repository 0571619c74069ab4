"""Who judges legs: the room that asked for one says on which hosts it may (still) work, at the wish and whenever a worker begins."""

from collections.abc import Callable, Iterable

from django.utils.translation import gettext as _

from cmdb.models import Host
from tasks.models import Run, RunHost

# Room (the first word of a purpose) -> which of the hosts (their ids) a leg may work on. Without a judge: on none.
Judge = Callable[[Run, Iterable[Host]], set[int]]
JUDGES: dict[str, Judge] = {}


def allowed_hosts(run: Run, hosts: Iterable[Host]) -> set[int]:
    """Give the ids of the hosts that a leg may work on now, asked of the room that is named in its purpose."""
    judge = JUDGES.get(run.purpose.partition(".")[0])
    known = list(hosts)
    if judge is None:
        return set()
    return {host.pk for host in known} & judge(run, known)


def leg_refusal(run: Run) -> str:
    """Say why nothing of a leg may run any more; "" where its judge decides host by host.

    What is urgent undoes what went wrong: it goes on, also where who asked may not sign in any more.
    """
    if run.leg.by_portal or run.leg.urgent:
        return ""
    owner = run.requested_by
    if owner is None or not owner.may_sign_in:
        return _("Whoever asked for this run may not sign in any more.")
    return ""


def barred_hosts(run: Run, rows: Iterable[RunHost]) -> dict[int, str]:
    """Give the rows (their ids) of a leg on whose hosts it may not work any more, with the reason."""
    hosts = [row.host for row in rows if row.host is not None]
    allowed = allowed_hosts(run, hosts)
    words = _("The delivery may not work on this host any more.")
    return {
        row.pk: words
        for row in rows
        if row.host is not None and row.host.pk not in allowed
    }

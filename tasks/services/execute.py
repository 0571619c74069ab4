"""Doing a run: claim it, send it down its lane, write down how it ended."""

import logging

from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset import audit
from cmdb.models import Credential
from tasks.models import Run, RunHost
from tasks.output import Hints
from tasks.services.ansible_lane import run_ansible
from tasks.services.claim import Claim, Watch, claim_run
from tasks.services.command_lane import run_commands
from tasks.services.jobs import Job, rows_of
from tasks.services.rejudge import keep_allowed

LANES = {
    Run.Kind.COMMAND: run_commands,
    Run.Kind.MODULE: run_ansible,
    Run.Kind.PLAYBOOK: run_ansible,
}
logger = logging.getLogger(__name__)


def execute_run(*, pk: int, worker: str) -> None:
    """Do a queued run from beginning to end; nothing happens where another worker has it or it was cancelled."""
    claim = claim_run(pk=pk, worker=worker)
    if claim is None:
        return
    run = Run.objects.get(pk=pk)
    rows = keep_allowed(run, claim, rows_of(run))
    job = Job(run, claim, Watch(claim), Hints(pk), rows)
    job.hints.status()
    note_credentials(job)
    words = ""
    try:
        words = LANES[Run.Kind(run.kind)](job) if rows else ""
    except Exception:
        logger.exception("run %s: broken off", pk)
        words = _("The portal could not go on; its log says why.")
    finish_run(claim=claim, worker=worker, words=words, cancelled=job.watch.cancelled)
    job.hints.status()


@transaction.atomic
def note_credentials(job: Job) -> None:
    """Record which credentials a run signs in with, one line each, before the first of them is opened."""
    used: dict[Credential, int] = {}
    for row in job.rows:
        if row.host is not None and row.host.credential is not None:
            credential = row.host.credential
            used[credential] = used.get(credential, 0) + 1
    actor = job.run.requested_by or audit.SystemActor(job.run.requested_by_name)
    for credential, hosts in used.items():
        changes: list[audit.Change] = [
            {"field": "run", "old": None, "new": job.run.pk},
            {"field": "hosts", "old": None, "new": hosts},
        ]
        audit.record(actor, "credential.use", credential, changes=changes)


@transaction.atomic
def finish_run(
    *, claim: Claim, worker: str, words: str = "", cancelled: bool = False
) -> bool:
    """Settle a run by how its hosts ended; False (and no write) where the claim does not hold any more.

    Args:
        words: what the lane says of the run as a whole.
        cancelled: somebody asked to stop it.
    """
    left = _("It was still going on when the run ended: look on the host.")
    claim.hosts().filter(status=RunHost.Status.RUNNING).update(
        status=RunHost.Status.UNKNOWN, explanation=left, ended_at=timezone.now()
    )
    if words:
        unsaid = claim.hosts().filter(status=RunHost.Status.NOT_STARTED, explanation="")
        unsaid.update(explanation=words[:4000])
    counts = count_hosts(claim.run_id)
    status = _verdict(counts, cancelled)
    who = Run.objects.values_list("cancelled_by_name", flat=True).get(pk=claim.run_id)
    sentences = [
        _("Cancelled by %(who)s.") % {"who": who} if cancelled else "",
        summary(counts),
        words,
    ]
    settled = claim.run().update(
        status=status,
        explanation=" ".join(part for part in dict.fromkeys(sentences) if part)[:4000],
        ended_at=timezone.now(),
        lease_until=None,
        done_count=sum(counts.values()) - counts.get("not_started", 0),
        ok_count=counts.get("ok", 0),
    )
    if settled:
        run = Run.objects.get(pk=claim.run_id)
        changes: list[audit.Change] = [
            {"field": "status", "old": "running", "new": status},
            {"field": "hosts", "old": None, "new": counts},
        ]
        audit.record(
            audit.SystemActor(f"worker {worker}"), "run.finish", run, changes=changes
        )
    return bool(settled)


def count_hosts(run_id: int) -> dict[str, int]:
    """Count the hosts of a run by status."""
    rows = (
        RunHost.objects.filter(run=run_id)
        .order_by()
        .values_list("status")
        .annotate(Count("pk"))
    )
    return dict(rows)


def _verdict(counts: dict[str, int], cancelled: bool) -> str:
    cut_off = counts.get("cancelled", 0) + counts.get("not_started", 0)
    if cancelled and cut_off:
        return Run.Status.CANCELLED
    return Run.Status.OK if set(counts) == {"ok"} else Run.Status.FAILED


def summary(counts: dict[str, int]) -> str:
    """Say how the hosts of a run ended: "3 hosts: 2 ok, 1 failed."."""
    total = sum(counts.values())
    parts = [
        f"{counts[status.value]} {status.label}"
        for status in RunHost.Status
        if counts.get(status.value)
    ]
    hosts = ngettext("%(count)s host", "%(count)s hosts", total) % {"count": total}
    return f"{hosts}: {', '.join(parts)}."

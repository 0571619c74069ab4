"""A run in a worker's hands: its hosts, and how what happens to them is written down."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from adminset.redaction import clean
from cmdb.logins import login_for
from cmdb.membership import names_of
from cmdb.models import Host
from tasks.models import Run, RunHost
from tasks.output import Hints
from tasks.services.claim import Claim, Watch
from tasks.targets import Login, Target


@dataclass(frozen=True)
class Started:
    """Work began on a host (RunHost's id)."""

    row_id: int
    at: datetime = field(default_factory=timezone.now)


@dataclass(frozen=True)
class Ended:
    """Work ended on a host (RunHost's id)."""

    row_id: int
    status: str
    explanation: str
    exit_code: int | None = None
    started_at: datetime | None = None
    output_bytes: int = 0


@dataclass(frozen=True)
class Job:
    """What a lane needs to work on a run."""

    run: Run
    claim: Claim
    watch: Watch
    hints: Hints
    rows: list[RunHost]

    def record(self, events: Iterable[Started | Ended]) -> None:
        """Write down what happened on hosts, as long as the claim holds."""
        known = list(events)
        if not known:
            return
        with transaction.atomic():
            for event in known:
                self._write(event)
            ended = [event for event in known if isinstance(event, Ended)]
            good = sum(event.status == RunHost.Status.OK for event in ended)
            if ended:
                self.claim.run().update(
                    done_count=F("done_count") + len(ended),
                    ok_count=F("ok_count") + good,
                )
        self.hints.status()

    def _write(self, event: Started | Ended) -> None:
        row = self.claim.hosts().filter(pk=event.row_id)
        if isinstance(event, Started):
            row.update(status=RunHost.Status.RUNNING, started_at=event.at)
            return
        if event.started_at:
            row.update(started_at=event.started_at)
        row.update(
            status=event.status,
            # The last gate: what a library said of an error may hold what it was given.
            explanation=clean(event.explanation)[:4000],
            exit_code=event.exit_code,
            ended_at=timezone.now(),
            output_bytes=event.output_bytes,
        )


def rows_of(run: Run) -> list[RunHost]:
    """Give the hosts of a run with all that is needed to reach them, secrets still sealed."""
    rows = list(run.hosts.select_related("host__credential", "host__idc"))
    names = names_of(row.host_id for row in rows if row.host_id)
    for row in rows:
        row.group_names = names.get(row.host_id or 0, [])
    return rows


def target_of(row: RunHost, name: str) -> Target:
    """Open the secrets of a host and say how to reach it; only just before it is used.

    Raises:
        DomainError: a sentence why it cannot be reached: no address, no credential, a secret that does not open.
        Host.DoesNotExist: it is not in the CMDB any more.
    """
    host = row.host
    if host is None:
        raise Host.DoesNotExist(row.host_name)
    found = login_for(host)
    login = Login(
        user=found.username,
        password=found.password(),
        private_key=found.private_key(),
        passphrase=found.passphrase(),
        become_method="sudo" if found.become_method == "sudo" else "",
        become_password=found.become_password(),
    )
    variables = {
        "adminset_id": host.pk,
        "adminset_hostname": host.hostname,
        "adminset_groups": list(row.group_names),
        "adminset_idc": host.idc.code if host.idc else "",
    }
    # The address is the one that was shown when the run was asked for.
    return Target(
        name,
        row.address or found.address,
        found.port,
        login,
        found.host_key or None,
        variables,
    )

"""What is live is read back on a schedule: where a host says something else than the portal, that is drift, and it is told."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import DomainError
from adminset.many_rows import update_rows
from appconf.models import Environment
from delivery.models import Deploy, LiveRelease
from delivery.onhost import legs, told
from delivery.onhost.context import of_environment
from delivery.onhost.ended import is_ok, why
from delivery.safety.subjects import (
    DEEP,
    HOST_LOCK,
    LOOK,
    last_ended,
    number_in,
    vouched,
)
from delivery.safety.telling import LONGEST_PROBLEM, READ, artefacts_named, read_values
from tasks.legs.asking import request_leg, send_leg
from tasks.legs.reading import HostReport, reports
from tasks.models import Run

READER = audit.SystemActor("drift")
# Environments that one look takes up.
MOST = 200
# What hosts said is kept a moment after the run that asked them ended: by a worker, host by host.
MOMENT_SECONDS = 30


def ask_due() -> list[int]:
    """Ask the hosts of environments that nobody has read for a while what is live; give the ids of these environments."""
    asked = []
    for environment in _due():
        try:
            ask(environment)
        except DomainError:
            # A path that is none any more, hosts that nobody vouches for: its page says so.
            continue
        asked.append(environment.pk)
    return asked


def _due() -> Iterator[Environment]:
    late = timezone.now() - timedelta(minutes=settings.DELIVERY_READ_MINUTES)
    rows = LiveRelease.objects.filter(read_at__lt=late).order_by("read_at")
    wanted = rows.values_list("environment_id", flat=True)[: MOST * 10]
    ids = list(dict.fromkeys(wanted))[:MOST]
    busy = Deploy.objects.filter(environment__in=ids, status=Deploy.Status.RUNNING)
    taken = set(busy.values_list("environment_id", flat=True))
    for environment in Environment.objects.filter(pk__in=ids).order_by("pk"):
        gone = LiveRelease.objects.filter(environment=environment)
        # What lies on a host that was taken out is nobody's release any more.
        gone.exclude(host__in=environment.all_hosts()).delete()
        if environment.pk not in taken:
            yield environment


@transaction.atomic
def ask(environment: Environment, *, by_hand: bool = False) -> Run:
    """Ask the hosts of an environment what is live; nothing is changed there.

    Args:
        by_hand: somebody wants to know it now, of all its hosts, whenever they were last asked: also of those of which the portal
            knows nothing, because nothing was delivered there or its database was lost.

    Raises:
        DomainError: its deploy path is none, or none of its hosts is delivered to.
    """
    ids = vouched(environment)
    if not by_hand:
        rows = LiveRelease.objects.filter(environment=environment)
        ids &= set(rows.values_list("host_id", flat=True))
    context = of_environment(environment)
    leg = legs.read_leg(context, tuple(sorted(ids)))
    subject = f"{LOOK}{environment.pk}"
    # However many ask: one look by hand at a time, and one of the clock in each span.
    seconds = settings.DELIVERY_READ_MINUTES * 60
    span = f"{seconds}.{int(timezone.now().timestamp() // seconds)}"
    span = f"hand.{last_ended(subject)}" if by_hand else span
    run = request_leg(
        actor=READER,
        leg=replace(leg, subject=subject),
        key=f"delivery.look.{environment.pk}.{span}",
    )
    send_leg(run)
    return run


def asked_now(environment: Environment) -> set[str]:
    """Give what the hosts of an environment are asked just now, or were a moment ago: the beginnings of subjects (subjects.py)."""
    of = {f"{start}{environment.pk}": start for start in (LOOK, DEEP, HOST_LOCK)}
    late = timezone.now() - timedelta(seconds=MOMENT_SECONDS)
    runs = Run.objects.filter(subject__in=list(of))
    runs = runs.filter(Q(status__in=Run.OPEN) | Q(ended_at__gte=late))
    return {of[subject] for subject in runs.values_list("subject", flat=True)}


def note(run: Run) -> None:
    """Keep what the hosts of a look said; tell the trail of drift that was not there before."""
    number = number_in(run.subject, LOOK)
    rows = Environment.objects.select_related("project")
    environment = rows.filter(pk=number or 0).first()
    if environment is not None:
        note_reports(environment, reports(run))


@transaction.atomic
def note_reports(environment: Environment, found: Mapping[int, HostReport]) -> None:
    """Keep what hosts (their ids) said. One of which the portal knew nothing is taken at its word."""
    rows = _rows(environment, found)
    # A deploy may have written down something newer while the slowest host was waited for.
    rows = [row for row in rows if not _is_older(found[row.host_id], row)]
    spoke = [row for row in rows if _has_told(row, found[row.host_id])]
    silent = [row for row in rows if not _has_told(row, found[row.host_id])]
    before = {row.host_id for row in spoke if row.has_drifted}
    for row in silent:
        row.problem = why(found[row.host_id])[:LONGEST_PROBLEM]
    _read(environment, spoke, found)
    update_rows(LiveRelease, (*READ, "expected", "artefact"), spoke)
    update_rows(LiveRelease, ("problem",), silent)
    for row in spoke:
        if row.has_drifted and row.host_id not in before:
            _tell(row)


def _rows(
    environment: Environment, found: Mapping[int, HostReport]
) -> list[LiveRelease]:
    """Give the rows of hosts that belong to the environment; those that it lacks are made."""
    stored = LiveRelease.objects.filter(environment=environment)
    here = environment.all_hosts().filter(pk__in=list(found))
    lacking = here.exclude(pk__in=stored.values("host"))
    LiveRelease.objects.bulk_create(
        [LiveRelease(environment=environment, host=host) for host in lacking],
        ignore_conflicts=True,
    )
    locked = stored.select_for_update(of=("self",)).order_by("pk")
    rows = list(locked.filter(host__in=list(found)).select_related("host"))
    for row in rows:
        row.environment = environment
    return rows


def _is_older(report: HostReport, row: LiveRelease) -> bool:
    return bool(row.read_at and report.started_at and row.read_at > report.started_at)


def _has_told(row: LiveRelease, report: HostReport) -> bool:
    """Whether a host told what it runs; that a path with a release in it is not there tells of a mount, not of a release."""
    knows = row.said or row.expected
    return is_ok(report) and not (knows and told.state(report).refused)


def _read(
    environment: Environment,
    rows: Iterable[LiveRelease],
    found: Mapping[int, HostReport],
) -> None:
    states = {row: told.state(found[row.host_id]) for row in rows}
    releases = (state.live for state in states.values())
    artefacts = artefacts_named(environment.project_id, releases)
    for row, state in states.items():
        if row.read_at is None and not row.expected and row.deploy_id is None:
            row.expected = state.live[:200]
        for name, value in read_values(state).items():
            setattr(row, name, value)
        row.artefact = artefacts.get(state.live)
        if state.drained:
            row.problem = _("It is out of the balancer.")


def _tell(row: LiveRelease) -> None:
    changes: list[audit.Change] = [
        {"field": "release", "old": row.expected, "new": row.said}
    ]
    audit.record(
        READER,
        "liverelease.drift",
        row.environment,
        changes=changes,
        reason=row.drift_words,
    )

"""What is live is read back on a schedule: where a host says something else than the portal, that is drift, and it is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import DomainError
from appconf.models import Environment
from delivery.engine.judging import LOOK, number_in, vouched
from delivery.engine.legwork import is_ok, why
from delivery.engine.live import artefact_named, read_values
from delivery.models import Deploy, LiveRelease
from delivery.onhost import legs, told
from delivery.onhost.context import HostContext
from tasks.legs.asking import request_leg, send_leg
from tasks.legs.reading import HostReport, reports
from tasks.models import Run

READER = audit.SystemActor("drift")
# Environments that one look takes up.
MOST = 200
BY_HAND_SECONDS = 10


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
        by_hand: somebody wants to know it now, whenever they were last asked.

    Raises:
        DomainError: its deploy path is none, or none of its hosts is delivered to.
    """
    rows = LiveRelease.objects.filter(environment=environment)
    known = set(rows.values_list("host_id", flat=True))
    ids = tuple(sorted(known & vouched(environment)))
    context = HostContext(
        root=environment.path,
        deploy_id=0,
        project=environment.project.code,
        environment=environment.code,
    )
    leg = legs.read_leg(context, ids)
    # One look in each span, however many ask for it.
    seconds = BY_HAND_SECONDS if by_hand else settings.DELIVERY_READ_MINUTES * 60
    span = f"{seconds}.{int(timezone.now().timestamp() // seconds)}"
    run = request_leg(
        actor=READER,
        leg=replace(leg, subject=f"{LOOK}{environment.pk}"),
        key=f"delivery.look.{environment.pk}.{span}",
    )
    send_leg(run)
    return run


def note(run: Run) -> None:
    """Keep what the hosts of a look said; tell the trail of drift that was not there before."""
    number = number_in(run.subject, LOOK)
    found = reports(run)
    rows = LiveRelease.objects.filter(environment=number, host__in=list(found))
    for row in rows.select_related("environment__project", "host"):
        _note(row, found[row.host_id])


@transaction.atomic
def _note(row: LiveRelease, report: HostReport) -> None:
    rows = LiveRelease.objects.select_for_update(of=("self",))
    now = rows.select_related("environment__project", "host").filter(pk=row.pk).first()
    if now is None:
        return
    row = now
    if row.read_at and report.started_at and row.read_at > report.started_at:
        # A deploy wrote down something newer while the slowest host was waited for.
        return
    before = row.has_drifted
    if not is_ok(report):
        row.problem = why(report)
        row.save(update_fields=["problem"])
        return
    values = read_values(told.state(report))
    for name, value in values.items():
        setattr(row, name, value)
    row.artefact = artefact_named(row.environment.project_id, row.said)
    row.save(update_fields=[*values, "artefact"])
    if row.has_drifted and not before:
        words = _("%(host)s runs %(said)s, the portal says %(expected)s.")
        changes: list[audit.Change] = [
            {"field": "release", "old": row.expected, "new": row.said}
        ]
        told_words = words % {
            "host": row.host.hostname,
            "said": row.said or _("nothing"),
            "expected": row.expected or _("nothing"),
        }
        audit.record(
            READER,
            "liverelease.drift",
            row.environment,
            changes=changes,
            reason=told_words,
        )

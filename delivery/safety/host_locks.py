"""Locks on the hosts themselves: which an ended deploy left behind, and taking one away that nobody gives back."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from appconf.models import Environment
from appconf.vouching import hosts_of
from cmdb.models import Host
from delivery.models import Deploy, DeployHost
from delivery.onhost import legs, told
from delivery.onhost.context import of_environment
from delivery.safety.rights import holds_on
from delivery.safety.subjects import HOST_LOCK, LOOK
from tasks.legs.asking import request_leg, send_leg
from tasks.legs.reading import HostReport, report_of
from tasks.models import Run, RunHost

RIGHT = "delivery.break_deploylock"
# Whoever presses twice asks once.
SPAN_SECONDS = 60


def left_behind(
    environment: Environment, said: Mapping[int, HostReport]
) -> dict[int, str]:
    """Give host -> deploy where the lock is that of a deploy of this project that has ended: nobody else will take it away."""
    locks = {pk: told.lock(report) for pk, report in said.items()}
    held = {pk: lock.deploy for pk, lock in locks.items() if lock is not None}
    # A host may have come from another environment, to the same path.
    ended = Deploy.objects.filter(
        pk__in=_numbers(held.values()), environment__project=environment.project_id
    ).exclude(status__in=Deploy.OPEN)
    known = {str(pk) for pk in ended.values_list("pk", flat=True)}
    return {pk: one for pk, one in held.items() if one in known}


def _numbers(said: Collection[str]) -> set[int]:
    return {int(one) for one in said if one.isdecimal()}


def seen(environment: Environment, host_ids: Collection[int]) -> dict[int, told.Lock]:
    """Give host -> the lock that lay there when it was read last; one of a deploy that goes on is left out: that gives it back."""
    looks = Run.objects.filter(subject=f"{LOOK}{environment.pk}")
    look = looks.filter(ended_at__isnull=False).order_by("-pk").first()
    if look is None:
        return {}
    # Those that were taken away since say so, too.
    since = Q(run__subject=f"{HOST_LOCK}{environment.pk}", run__gt=look.pk)
    rows = RunHost.objects.filter(Q(run=look) | since, host__in=list(host_ids))
    found: dict[int, told.Lock | None] = {}
    for row in rows.order_by("run_id"):
        report = report_of(row)
        if "lock" in report.said:
            found[row.host_id or 0] = told.lock(report)
    held = {pk: lock for pk, lock in found.items() if lock is not None}
    numbers = _numbers([lock.deploy for lock in held.values()])
    going = Deploy.objects.open().filter(pk__in=numbers)
    theirs = {str(pk) for pk in going.values_list("pk", flat=True)}
    return {pk: lock for pk, lock in held.items() if lock.deploy not in theirs}


def busy_hosts(environment: Environment, host_ids: Collection[int]) -> set[int]:
    """Give the hosts among some on which a deploy of the project is at work: the lock there is its own."""
    rows = _at_work(environment, host_ids)
    return {pk for pk in rows.values_list("host_id", flat=True) if pk is not None}


def _at_work(
    environment: Environment, host_ids: Collection[int]
) -> QuerySet[DeployHost]:
    return DeployHost.objects.filter(
        deploy__environment__project=environment.project_id,
        deploy__status__in=Deploy.OPEN,
        deploy__started_at__isnull=False,
        host__in=list(host_ids),
    )


def may_break(actor: Any, environment: Environment) -> bool:
    """Whether somebody may take locks of this environment's hosts away."""
    return holds_on(actor, RIGHT, environment)


@transaction.atomic
def break_host_lock(
    *, actor: Any, environment: Environment, host: Host, holder: str, reason: str
) -> Run:
    """Take the lock of a host away that a deploy holds which nobody ends any more; that of any other deploy stays.

    Args:
        holder: the deploy that held it when the host was read last (`seen`), as the actor saw it.

    Raises:
        Forbidden: the actor may not break locks there. DomainError: no reason, or nobody vouches for the host.
        Conflict: a deploy of the project is at work on this host (code "deploy_open"), or that lock was not seen there (code
            "lock_changed").
    """
    if not may_break(actor, environment):
        raise Forbidden(_("You may not break locks of this environment."))
    if not reason.strip():
        words = _("Say why: others will read it.")
        raise DomainError(words, fields={"reason": words})
    if not hosts_of(environment).filter(pk=host.pk).exists():
        raise DomainError(
            _("%(host)s is no host to which this environment delivers.")
            % {"host": host.hostname},
            code="not_its_host",
        )
    _ensure_idle(environment, host)
    _ensure_seen(environment, host, holder)
    run = _asked(actor, environment, host, holder)
    told_host: list[audit.Change] = [
        {"field": "host", "old": host.hostname, "new": None},
        {"field": "lock", "old": holder, "new": None},
    ]
    audit.record(
        actor, "deploylock.break_host", environment, changes=told_host, reason=reason
    )
    return run


def _ensure_idle(environment: Environment, host: Host) -> None:
    rows = _at_work(environment, [host.pk]).order_by("deploy_id")
    pk = rows.values_list("deploy_id", flat=True).first()
    if pk is not None:
        raise Conflict(
            _("%(deploy)s is at work on %(host)s.")
            % {"deploy": Deploy.objects.get(pk=pk), "host": host.hostname},
            _("Cancel the deploy: it takes back what it did and lets go of the lock."),
            code="deploy_open",
        )


def _ensure_seen(environment: Environment, host: Host, holder: str) -> None:
    lock = seen(environment, [host.pk]).get(host.pk)
    if lock is None or lock.deploy != holder:
        raise Conflict(
            _("When %(host)s was read last, this lock did not lie there.")
            % {"host": host.hostname},
            _("Read back what is live, and look again."),
            code="lock_changed",
        )


def _asked(actor: Any, environment: Environment, host: Host, holder: str) -> Run:
    context = of_environment(environment, who=actor.username)
    # The host compares: a deploy that took the lock meanwhile keeps it.
    leg = legs.unlock_leg(context, (host.pk,), of={host.pk: holder})
    span = int(timezone.now().timestamp() // SPAN_SECONDS)
    run = request_leg(
        actor=actor,
        leg=replace(leg, subject=f"{HOST_LOCK}{environment.pk}"),
        key=f"delivery.lock.{environment.pk}.{host.pk}.{holder}.{span}",
    )
    send_leg(run)
    return run

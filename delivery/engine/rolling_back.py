"""Back in one click: only the switch, to a release that the hosts keep."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import Conflict
from appconf.models import Environment
from delivery.engine.requesting import ask
from delivery.models import Artefact, Deploy, LiveRelease, Pipeline
from delivery.planning.plan import Plan
from delivery.planning.planning import make_plan
from delivery.safety import locks
from delivery.safety.telling import artefact_named


def request_rollback(  # noqa: PLR0913 - what is asked for, each part by its name
    *,
    actor: Any,
    environment: Environment,
    pipeline: Pipeline,
    to_artefact: Artefact | None = None,
    hosts: Collection[int] | None = None,
    reason: str = "",
    trigger: str = Deploy.Trigger.HAND,
) -> Deploy:
    """Switch an environment back, in seconds. Windows, freezes and approvals do not hold up what mends; a lock by hand does.

    Hosts that do not keep the release, or cannot be locked, are left out: they keep none of the others on a bad one.

    Args:
        to_artefact: any whose release the hosts keep; None: the one before.
        hosts: ids of hosts; None: all of the environment.

    Raises:
        Forbidden: the actor may not deploy there. Conflict: there is nothing to go back to, or somebody locked it by hand.
        DomainError: no host keeps the release; says which do not.
    """
    plan = plan_rollback(
        actor=actor,
        environment=environment,
        pipeline=pipeline,
        to_artefact=to_artefact,
        hosts=hosts,
    )
    return ask_rollback(
        actor=actor,
        environment=environment,
        pipeline=pipeline,
        plan=plan,
        reason=reason,
        trigger=trigger,
    )


def plan_rollback(
    *,
    actor: Any,
    environment: Environment,
    pipeline: Pipeline,
    to_artefact: Artefact | None = None,
    hosts: Collection[int] | None = None,
) -> Plan:
    """Make the plan of a way back; as request_rollback, and nothing is written."""
    _ensure_no_hand(environment)
    artefact = to_artefact or release_before(environment)
    if artefact is None:
        raise Conflict(
            _("There is no release before to go back to."),
            _("Deploy one that ran well."),
            code="nothing_before",
        )
    return make_plan(
        actor=actor,
        pipeline=pipeline,
        environment=environment,
        artefact=artefact,
        host_ids=hosts or (),
        kind=Deploy.Kind.ROLLBACK,
    )


def ask_rollback(
    *,
    actor: Any,
    environment: Environment,
    pipeline: Pipeline,
    plan: Plan,
    reason: str,
    trigger: str,
) -> Deploy:
    """Write down the deploy of such a plan; as request_rollback."""
    _ensure_no_hand(environment)
    return ask(
        actor=actor,
        pipeline=pipeline,
        environment=environment,
        plan=plan,
        reason=reason,
        trigger=trigger,
    )


def _ensure_no_hand(environment: Environment) -> None:
    lock = locks.holder(environment)
    if lock is not None and lock.deploy_id is None:
        locks.ensure_free(environment)


def release_before(environment: Environment) -> Artefact | None:
    """Give the artefact to go back to: what most hosts say they had before, as far as it is one of ours and not bad."""
    rows = LiveRelease.objects.filter(environment=environment)
    said = Counter(row.previous for row in rows if row.previous)
    for name, _count in said.most_common():
        found = artefact_named(environment.project_id, name)
        if found is not None and not found.bad:
            return found
    live = set(rows.values_list("artefact_id", flat=True))
    good = environment.deploys.filter(
        status=Deploy.Status.OK, artefact__bad=False
    ).exclude(artefact__in=live)
    last = good.select_related("artefact").order_by("-pk").first()
    return last.artefact if last else None

"""From a plan that somebody said yes to, to a deploy that waits for its turn."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import Conflict, DomainError, Forbidden
from appconf.models import Environment
from delivery.engine.calls import call
from delivery.engine.steps import make_steps
from delivery.models import Artefact, Deploy, DeployHost, Pipeline
from delivery.planning.bound import kept_of
from delivery.planning.plan import Plan
from delivery.planning.planning import make_plan
from delivery.planning.targets import covers
from delivery.safety import locks
from delivery.safety.notices import tell_approvers
from delivery.safety.reach import ensure_goes_to
from delivery.safety.rights import holds_on
from delivery.safety.windows import check_emergency


def request_deploy(  # noqa: PLR0913 - what is asked for, each part by its name
    *,
    actor: Any,
    pipeline: Pipeline,
    environment: Environment,
    plan_hash: str,
    ref_kind: str = "branch",
    ref: str = "",
    reason: str = "",
    emergency_reason: str = "",
    trigger: str = Deploy.Trigger.HAND,
    host_ids: Collection[int] = (),
    artefact: Artefact | None = None,
    kind: str = Deploy.Kind.DEPLOY,
    wait: bool = True,
    retried_from: Deploy | None = None,
) -> Deploy:
    """Ask for a deploy by the hash of the plan that somebody saw.

    Args:
        plan_hash: of make_plan with the same arguments; "" only for triggers that nobody looks at (schedules, web-hooks).
        emergency_reason: why it begins outside the change windows.
        wait: whether it waits where the environment is held; else it is refused.

    Raises:
        Forbidden: the actor may not. Conflict: it is another plan by now (code "plan_changed"), or somebody holds the
            environment (code "locked"). DomainError: something keeps it from being done; says what.
    """
    plan = make_plan(
        actor=actor,
        pipeline=pipeline,
        environment=environment,
        ref_kind=ref_kind,
        ref=ref,
        host_ids=host_ids,
        artefact=artefact,
        kind=kind,
    )
    check_hash(plan, plan_hash, trigger)
    return ask(
        actor=actor,
        pipeline=pipeline,
        environment=environment,
        plan=plan,
        reason=reason,
        emergency_reason=emergency_reason,
        trigger=trigger,
        wait=wait,
        retried_from=retried_from,
    )


def check_hash(plan: Plan, plan_hash: str, trigger: str) -> None:
    """Let pass the plan that somebody saw; a trigger that nobody looks at comes without a hash.

    Raises:
        Conflict: it is another plan by now (code "plan_changed").
    """
    unseen = not plan_hash and trigger not in (Deploy.Trigger.HAND, Deploy.Trigger.API)
    if plan_hash != plan.hash and not unseen:
        raise Conflict(
            _("The plan is not the one that you saw."),
            _("Something changed meanwhile: look at the plan again."),
            code="plan_changed",
        )


@transaction.atomic
def ask(  # noqa: PLR0913 - what is asked for, each part by its name
    *,
    actor: Any,
    pipeline: Pipeline,
    environment: Environment,
    plan: Plan,
    reason: str,
    emergency_reason: str = "",
    trigger: str = Deploy.Trigger.HAND,
    wait: bool = True,
    retried_from: Deploy | None = None,
) -> Deploy:
    """Write down a deploy of a plan, with its hosts and steps, and call the engine."""
    if not holds_on(actor, "delivery.add_deploy", environment):
        raise Forbidden(_("You may not start deploys of this project."))
    # Making the plan took a while.
    ensure_goes_to(pipeline, environment)
    if plan.problems:
        raise DomainError(plan.problems[0], " ".join(plan.problems[1:]), code="problem")
    # Of two that come at the same moment one sees the other.
    Environment.objects.select_for_update(no_key=True).get(pk=environment.pk)
    if not wait:
        _ensure_turn(environment)
    emergency = check_emergency(actor, pipeline, environment, emergency_reason)
    deploy = _written(actor, pipeline, environment, plan)
    deploy.reason, deploy.emergency_reason = reason.strip()[:500], emergency
    deploy.trigger, deploy.retried_from = trigger, retried_from
    deploy.save()
    _write_hosts(deploy, plan)
    make_steps(deploy, plan.batch_count)
    changes: list[audit.Change] = [
        {"field": name, "old": None, "new": value}
        for name, value in _told(deploy).items()
        if value
    ]
    audit.record(actor, "deploy.request", deploy, changes=changes, reason=reason)
    if deploy.status == Deploy.Status.WAITING_APPROVAL:
        tell_approvers(actor, deploy)
    call(deploy.pk)
    return deploy


def _written(
    actor: Any, pipeline: Pipeline, environment: Environment, plan: Plan
) -> Deploy:
    status, until = Deploy.Status.WAITING, None
    if plan.approvals_needed:
        status = Deploy.Status.WAITING_APPROVAL
        if pipeline.approval_minutes:
            until = timezone.now() + timedelta(minutes=pipeline.approval_minutes)
    return Deploy(
        pipeline=pipeline,
        environment=environment,
        artefact_id=plan.artefact_id,
        kind=plan.kind,
        ref_kind=plan.ref_kind,
        ref=plan.ref[:200],
        commit=plan.commit,
        branch=plan.branch[:200],
        status=status,
        plan=plan.as_json()
        | kept_of(plan.binding)
        | {"whole": covers(environment, [row.host_id for row in plan.rows])},
        plan_hash=plan.hash,
        approvals_needed=plan.approvals_needed,
        approve_until=until,
        requested_by=actor,
        requested_by_name=actor.username[:150],
    )


def _write_hosts(deploy: Deploy, plan: Plan) -> None:
    DeployHost.objects.bulk_create(
        DeployHost(
            deploy=deploy,
            host_id=row.host_id,
            host_name=row.host,
            batch=row.batch,
            to_release=plan.to_release,
        )
        for row in plan.rows
    )


def _told(deploy: Deploy) -> dict[str, Any]:
    return {
        "plan": deploy.plan_hash,
        "commit": deploy.commit,
        "release": deploy.release,
        "hosts": [row["host"] for row in deploy.plan["rows"]][:50],
        "emergency": deploy.emergency_reason,
    }


def _ensure_turn(environment: Environment) -> None:
    """Raise Conflict where an environment is held, or another deploy was asked for before."""
    locks.ensure_free(environment)
    rows = environment.deploys.filter(status__in=Deploy.OPEN)[:1]
    for other in rows:
        words = _("%(deploy)s of %(who)s was asked for before it.")
        raise Conflict(
            words % {"deploy": other, "who": other.requested_by_name},
            _("Wait until it has ended, or let yours wait for its turn."),
            code="locked",
        )

"""Makes deploys of requests, in a worker: the source may be asked for minutes. Of each request comes one deploy at most."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from adminset.errors import DomainError, Forbidden
from delivery.engine.beginning import is_everywhere
from delivery.engine.repeating import plan_again
from delivery.engine.requesting import ask, check_hash
from delivery.engine.rolling_back import ask_rollback, plan_rollback
from delivery.models import Deploy, DeployRequest
from delivery.planning.plan import Plan
from delivery.planning.planning import make_plan
from delivery.safety.rights import limit_by
from delivery.trigger_models import Trigger
from delivery.triggers import taking
from delivery.triggers.saving import BY_ITSELF, turned_off
from delivery.triggers.vouching import ensure_vouched
from delivery.triggers.wishing import call_for

logger = logging.getLogger(__name__)
State = DeployRequest.State
MOST_TRIES = 3
NEEDED = (
    "pipeline__project",
    "pipeline__template",
    "environment__project",
    "artefact",
    "asked_by",
    "token",
    "retries",
)
# Told of each request that is decided, by its number; sets of releases join in ready().
after_decision: list[Callable[[int], None]] = []


def make(pk: int) -> None:
    """Make the deploy of a request, or write down why there is none."""
    if not taking.take(pk):
        return
    _treat(DeployRequest.objects.select_related(*NEEDED).get(pk=pk))
    following = taking.next_in_turn()
    if following is not None:
        call_for(*following)


def _treat(row: DeployRequest) -> None:
    try:
        actor = actor_of(row)
        plan = _plan_of(actor, row)
        _write(actor, row, plan)
    except DomainError as error:
        _refuse(row, error)
    except Exception:
        logger.exception("request %s could not be treated", row.pk)
        DeployRequest.objects.filter(pk=row.pk).update(taken_at=None)
        if row.tries >= MOST_TRIES:
            words = _("The portal made a mistake; its log says which.")
            _refuse(row, DomainError(words, code="mistake"))


def actor_of(row: DeployRequest) -> Any:
    """Give the one who asked, with the limits of the token that spoke.

    Raises:
        Forbidden: that user may not sign in any more, or the token is gone.
    """
    user = get_user_model().objects.filter(pk=row.asked_by_id).first()
    if user is None or not user.may_sign_in:
        words = _("%(name)s cannot sign in any more.")
        raise Forbidden(words % {"name": row.asked_by_name}, code="owner_gone")
    if row.by_token:
        limit_by(user, row.token_id)
    return user


def trigger_of(row: DeployRequest) -> Trigger | None:
    """Give the schedule, web-hook or follow-up that a request is of; None for those of people, programs and sets."""
    planned = getattr(row, "planned", None)
    if planned is not None:
        return planned.schedule
    message = row.messages.select_related("hook").first()
    if message is not None:
        return message.hook
    return row.follow_up


def _plan_of(actor: Any, row: DeployRequest) -> Plan:
    """Make the plan before anything is locked: the source, or the disk, may take its time."""
    if row.has_artefact and row.artefact is None:
        raise DomainError(_("The artefact is gone."), code="gone")
    if row.retries is not None:
        return plan_again(actor=actor, deploy=row.retries, host_ids=row.host_ids)
    if row.kind == Deploy.Kind.ROLLBACK:
        return plan_rollback(
            actor=actor,
            environment=row.environment,
            pipeline=row.pipeline,
            to_artefact=row.artefact,
            hosts=row.host_ids,
        )
    plan = make_plan(
        actor=actor,
        pipeline=row.pipeline,
        environment=row.environment,
        ref_kind=row.ref_kind,
        ref=row.ref,
        host_ids=row.host_ids,
        artefact=row.artefact,
        kind=row.kind,
    )
    check_hash(plan, row.plan_hash, row.trigger)
    return plan


@transaction.atomic
def _write(actor: Any, row: DeployRequest, plan: Plan) -> None:
    held = DeployRequest.objects.select_for_update().get(pk=row.pk)
    if not held.is_open:
        return
    trigger = trigger_of(row)
    if trigger is not None:
        _ensure_stands(trigger, row)
    if row.only_new and _is_live(row, plan):
        _decide(
            row,
            State.LEFT,
            _("%(commit)s is live already.") % {"commit": plan.commit[:12]},
        )
        return
    deploy = _asked(actor, row, plan)
    DeployRequest.objects.filter(pk=row.pk).update(deploy=deploy)
    _decide(row, State.MADE, "")


def _ensure_stands(trigger: Trigger, row: DeployRequest) -> None:
    """Want a trigger that is on, in the name of the one whose request this is, and finds all as that user left it."""
    if not trigger.enabled:
        raise DomainError(_("It was turned off meanwhile."), code="off")
    if trigger.run_as_id != row.asked_by_id:
        raise DomainError(_("Somebody else saved it meanwhile."), code="off")
    ensure_vouched(trigger)


def _asked(actor: Any, row: DeployRequest, plan: Plan) -> Deploy:
    if row.kind == Deploy.Kind.ROLLBACK and row.retries is None:
        return ask_rollback(
            actor=actor,
            environment=row.environment,
            pipeline=row.pipeline,
            plan=plan,
            reason=row.reason,
            trigger=row.trigger,
        )
    return ask(
        actor=actor,
        pipeline=row.pipeline,
        environment=row.environment,
        plan=plan,
        reason=row.reason,
        emergency_reason=row.emergency_reason,
        trigger=row.trigger,
        wait=row.wait,
        retried_from=row.retries,
    )


def _is_live(row: DeployRequest, plan: Plan) -> bool:
    """Say whether the commit of a plan is live on all of its hosts."""
    ids = [one.host_id for one in plan.rows]
    return is_everywhere(row.environment_id, plan.commit, ids)


@transaction.atomic
def _refuse(row: DeployRequest, error: DomainError) -> None:
    fields = "; ".join(f"{name}: {words}" for name, words in error.fields.items())
    words = f"{error.sentence} {fields}".strip()
    if not _decide(row, State.REFUSED, words, error.code):
        return
    changes: list[audit.Change] = [
        {"field": name, "old": None, "new": value} for name, value in row.told.items()
    ]
    audit.record(
        BY_ITSELF,
        "deploy.request_refused",
        row.environment,
        changes=changes,
        reason=words[:500],
    )
    trigger = trigger_of(row)
    if trigger is not None and isinstance(error, Forbidden) and trigger.enabled:
        turned_off(actor=BY_ITSELF, row=trigger, error=error)


def _decide(row: DeployRequest, state: str, words: str, code: str = "") -> bool:
    rows = DeployRequest.objects.filter(pk=row.pk, state=State.WAITING)
    if not rows.update(state=state, words=words[:2000], code=code[:60]):
        return False
    for each in after_decision:
        transaction.on_commit(partial(each, row.pk))
    return True


def sweep() -> None:
    """Call workers for requests that nobody has in hand: Redis or a worker was away."""
    rows = taking.free()
    tired = rows.filter(tries__gte=MOST_TRIES)
    for row in tired.select_related(*NEEDED):
        words = _("No worker came to an end with it.")
        _refuse(row, DomainError(words, code="lost"))
    old = timezone.now() - timedelta(seconds=taking.SPARE_SECONDS)
    left = rows.filter(Q(created_at__lt=old) | Q(tries__gt=0), tries__lt=MOST_TRIES)
    for pk, kind in left.values_list("pk", "kind")[:100]:
        call_for(pk, kind)

"""Makes deploys of wishes, in a worker: the source may be asked for minutes. Of each wish comes one deploy at most."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import ApiToken
from adminset import audit
from adminset.errors import DomainError, Forbidden
from delivery.engine.requesting import ask, check_hash
from delivery.engine.rolling_back import request_rollback
from delivery.models import Deploy, DeployRequest, LiveRelease
from delivery.planning.plan import Plan
from delivery.planning.planning import make_plan
from delivery.trigger_models import Trigger
from delivery.triggers.saving import switch_trigger
from delivery.triggers.vouching import ensure_vouched
from delivery.triggers.wishing import call_for

logger = logging.getLogger(__name__)
State = DeployRequest.State
BY_ITSELF = audit.SystemActor("delivery triggers")
# A worker may ask the source for so long; then another one tries.
SPARE_SECONDS = 60
MOST_TRIES = 3
NEEDED = (
    "pipeline__project",
    "pipeline__template",
    "environment__project",
    "artefact",
    "asked_by",
    "token",
)
# Told of each wish that is decided, by its number; sets of releases join in ready().
after_decision: list[Callable[[int], None]] = []


def make(pk: int) -> None:
    """Make the deploy of a wish, or write down why there is none."""
    row = _take(pk)
    if row is None:
        return
    try:
        actor = actor_of(row)
        plan = _plan_of(actor, row)
        _write(actor, row, plan)
    except DomainError as error:
        _refuse(row, error)
    except Exception:
        logger.exception("wish %s could not be treated", pk)
        DeployRequest.objects.filter(pk=pk).update(taken_at=None)
        if row.tries >= MOST_TRIES:
            words = _("The portal made a mistake; its log says which.")
            _refuse(row, DomainError(words, code="mistake"))


def _lease_ends() -> Any:
    seconds = settings.SOURCE_SECONDS + SPARE_SECONDS
    return timezone.now() - timedelta(seconds=seconds)


def _free() -> Q:
    return Q(state=State.WAITING) & (Q(taken_at=None) | Q(taken_at__lt=_lease_ends()))


def _take(pk: int) -> DeployRequest | None:
    """Take a wish that nobody has in hand."""
    rows = DeployRequest.objects.filter(_free(), pk=pk)
    if not rows.update(taken_at=timezone.now(), tries=F("tries") + 1):
        return None
    return DeployRequest.objects.select_related(*NEEDED).get(pk=pk)


def actor_of(row: DeployRequest) -> Any:
    """Give the one who wished, with the limits of the token that spoke.

    Raises:
        Forbidden: he may not sign in any more, or the token is gone.
    """
    user = get_user_model().objects.filter(pk=row.asked_by_id).first()
    if user is None or not user.may_sign_in:
        words = _("%(name)s cannot sign in any more.")
        raise Forbidden(words % {"name": row.asked_by_name}, code="owner_gone")
    if row.by_token:
        limit_by(user, row.token_id)
    return user


def limit_by(user: Any, token_id: int | None) -> None:
    """Let a token speak for a user, with its limits as they are now.

    Raises:
        Forbidden: it is gone.
    """
    user.token = ApiToken.objects.usable().filter(pk=token_id, user=user).first()
    if user.token is None:
        raise Forbidden(_("The token that asked for this is gone."), code="token_gone")


def trigger_of(row: DeployRequest) -> Trigger | None:
    """Give the schedule, web-hook or follow-up that a wish is of; None for those of people, programs and sets."""
    planned = getattr(row, "planned", None)
    if planned is not None:
        return planned.schedule
    message = row.messages.select_related("hook").first()
    if message is not None:
        return message.hook
    return row.follow_up


def _plan_of(actor: Any, row: DeployRequest) -> Plan | None:
    if row.has_artefact and row.artefact is None:
        raise DomainError(_("The artefact is gone."), code="gone")
    if row.kind == Deploy.Kind.ROLLBACK:
        return None
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
def _write(actor: Any, row: DeployRequest, plan: Plan | None) -> None:
    held = DeployRequest.objects.select_for_update().get(pk=row.pk)
    if not held.is_open:
        return
    trigger = trigger_of(row)
    if trigger is not None:
        _ensure_stands(trigger, row)
    if plan is not None and row.only_new and _is_live(row, plan):
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
    """Want a trigger that is on, in the name of the one whose wish this is, and finds all as he left it."""
    if not trigger.enabled:
        raise DomainError(_("It was turned off meanwhile."), code="off")
    if trigger.run_as_id != row.asked_by_id:
        raise DomainError(_("Somebody else saved it meanwhile."), code="off")
    ensure_vouched(trigger)


def _asked(actor: Any, row: DeployRequest, plan: Plan | None) -> Deploy:
    if plan is None:
        return request_rollback(
            actor=actor,
            environment=row.environment,
            pipeline=row.pipeline,
            to_artefact=row.artefact,
            hosts=row.host_ids,
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
    )


def _is_live(row: DeployRequest, plan: Plan) -> bool:
    """Say whether the commit of a plan is live on all of its hosts."""
    live = LiveRelease.objects.filter(
        environment=row.environment_id, artefact__commit=plan.commit
    )
    there = {one.host_id for one in live if not one.has_drifted}
    return (
        bool(plan.commit and plan.rows) and {one.host_id for one in plan.rows} <= there
    )


@transaction.atomic
def _refuse(row: DeployRequest, error: DomainError) -> None:
    fields = "; ".join(f"{name}: {words}" for name, words in error.fields.items())
    words = " ".join(filter(None, (str(error.message), str(error.hint), fields)))
    if not _decide(row, State.REFUSED, words, error.code):
        return
    changes: list[audit.Change] = [
        {"field": name, "old": None, "new": value} for name, value in row.told.items()
    ]
    audit.record(
        BY_ITSELF,
        "deploy.wish_refused",
        row.environment,
        changes=changes,
        reason=words[:500],
    )
    trigger = trigger_of(row)
    if trigger is not None and isinstance(error, Forbidden) and trigger.enabled:
        # Somebody has to look: it would be refused each time.
        told = _("Turned off: %(why)s") % {"why": words}
        switch_trigger(actor=BY_ITSELF, row=trigger, enabled=False, reason=told[:500])


def _decide(row: DeployRequest, state: str, words: str, code: str = "") -> bool:
    rows = DeployRequest.objects.filter(pk=row.pk, state=State.WAITING)
    if not rows.update(state=state, words=words[:2000], code=code[:60]):
        return False
    for each in after_decision:
        transaction.on_commit(partial(each, row.pk))
    return True


def sweep() -> None:
    """Call workers for wishes that nobody has in hand: Redis or a worker was away."""
    rows = DeployRequest.objects.filter(_free())
    tired = rows.filter(tries__gte=MOST_TRIES)
    for row in tired.select_related(*NEEDED):
        words = _("No worker came to an end with it.")
        _refuse(row, DomainError(words, code="lost"))
    old = timezone.now() - timedelta(seconds=SPARE_SECONDS)
    left = rows.filter(Q(created_at__lt=old) | Q(tries__gt=0), tries__lt=MOST_TRIES)
    for pk, kind in left.values_list("pk", "kind")[:100]:
        call_for(pk, kind)

"""What goes on when a pipeline ended well: the same artefact to the next environment, or another project."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import maintenance
from adminset.errors import Conflict, DomainError
from delivery.models import Deploy, DeployRequest, FollowUp
from delivery.planning.targets import covers
from delivery.triggers.saving import BY_ITSELF, turned_off
from delivery.triggers.vouching import owner_of
from delivery.triggers.wishing import wish

# A deploy that ended while nobody could be told is found for so long.
LOOKS_BACK = timedelta(hours=6)
ENDED_WELL: dict[str, Any] = {
    "status": Deploy.Status.OK,
    "kind__in": (Deploy.Kind.DEPLOY, Deploy.Kind.PROMOTE),
}
# Deploys of before the upgrade have plans that do not say whether they are for all hosts.
MAY_BE_WHOLE = Q(plan__whole=True) | Q(plan__whole__isnull=True)


def deploy_ended(pk: int) -> None:
    """Ask for what follows a deploy that ended well, if it was asked for on all hosts of its environment: no trial promotes."""
    deploys = Deploy.objects.filter(MAY_BE_WHOLE, pk=pk, **ENDED_WELL)
    related = ("pipeline__project", "environment", "artefact", "request")
    deploys = deploys.select_related(*related).annotate(whole=F("plan__whole"))
    deploy = deploys.defer("plan").first()
    if deploy is None or deploy.ended_at is None:
        return
    rules = FollowUp.objects.filter(
        enabled=True,
        after_pipeline=deploy.pipeline_id,
        after_environment=deploy.environment_id,
        updated_at__lte=deploy.ended_at,
    )
    related = ("pipeline__project", "environment__project", "after_pipeline", "run_as")
    found = list(rules.select_related(*related))
    if found and (deploy.whole or _covers_now(deploy)):
        for rule in found:
            _follow(rule, deploy)


def _covers_now(deploy: Deploy) -> bool:
    """Say whether a deploy whose plan does not tell it was for all hosts that its environment has now."""
    return covers(deploy.environment, deploy.hosts.values_list("host_id", flat=True))


@transaction.atomic
def _follow(rule: FollowUp, deploy: Deploy) -> None:
    key = f"after:{rule.pk}:{deploy.pk}"
    before = getattr(deploy, "request", None)
    depth = before.depth + 1 if before else 1
    try:
        owner = owner_of(rule)
        if not DeployRequest.objects.filter(key=key).exists():
            _ensure_not_endless(depth)
    except DomainError as error:
        turned_off(actor=BY_ITSELF, row=rule, error=error)
        return
    same = rule.promotes
    wish(
        actor=owner,
        key=key,
        pipeline=rule.pipeline,
        environment=rule.environment,
        trigger=Deploy.Trigger.AFTER,
        kind=Deploy.Kind.PROMOTE if same else Deploy.Kind.DEPLOY,
        ref_kind=Deploy.RefKind.ARTEFACT if same else Deploy.RefKind.BRANCH,
        ref=str(deploy.artefact_id or "") if same else rule.branch,
        artefact=deploy.artefact if same else None,
        reason=_("After %(deploy)s") % {"deploy": deploy},
        follow_up=rule,
        depth=depth,
    )


def _ensure_not_endless(depth: int) -> None:
    """Stop what goes on and on: rules that close a circle are refused, but a database restored or edited may have one."""
    most = settings.DELIVERY_FOLLOW_MOST
    if depth > most:
        words = _("%(number)s deploys have followed one upon another.")
        raise Conflict(
            words % {"number": depth - 1},
            _("Look whether the rules go in a circle, then turn it on again."),
            code="endless",
        )


def sweep() -> None:
    """Look again at deploys that ended lately: whoever was to be told may have died."""
    if maintenance.is_on():
        return
    since = timezone.now() - LOOKS_BACK
    rules = FollowUp.objects.filter(enabled=True)
    for rule in rules.select_related("after_pipeline", "pipeline"):
        ended = Deploy.objects.filter(
            MAY_BE_WHOLE,
            pipeline=rule.after_pipeline_id,
            environment=rule.after_environment_id,
            ended_at__gte=max(since, rule.updated_at),
            **ENDED_WELL,
        )
        made = DeployRequest.objects.filter(key__startswith=f"after:{rule.pk}:")
        keys = set(made.values_list("key", flat=True).order_by("-pk")[:1000])
        for pk in ended.order_by("pk").values_list("pk", flat=True):
            if f"after:{rule.pk}:{pk}" not in keys:
                deploy_ended(pk)

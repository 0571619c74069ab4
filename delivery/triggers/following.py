"""What goes on when a pipeline ended well: the same artefact to the next environment, or another project; never in a circle."""

from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import maintenance
from delivery.models import Deploy, DeployRequest, FollowUp
from delivery.planning.targets import chosen
from delivery.triggers.making import BY_ITSELF
from delivery.triggers.saving import switch_trigger
from delivery.triggers.wishing import wish

# A deploy that ended while nobody could be told is found for so long.
LOOKS_BACK = timedelta(hours=6)
FORWARD = (Deploy.Kind.DEPLOY, Deploy.Kind.PROMOTE)
Node = tuple[int, int]


def deploy_ended(pk: int) -> None:
    """Wish for what follows a deploy that ended well on all hosts of its environment."""
    deploy = (
        Deploy.objects.filter(pk=pk, status=Deploy.Status.OK, kind__in=FORWARD)
        .select_related("pipeline__project", "environment", "artefact")
        .first()
    )
    if deploy is None:
        return
    rules = FollowUp.objects.filter(
        enabled=True,
        after_pipeline=deploy.pipeline_id,
        after_environment=deploy.environment_id,
    )
    related = ("pipeline__project", "environment__project", "after_pipeline", "run_as")
    found = list(rules.select_related(*related))
    if found and _is_whole(deploy):
        for rule in found:
            _follow(rule, deploy)


def _is_whole(deploy: Deploy) -> bool:
    """Say whether a deploy was for all hosts of its environment: a trial on one of them promotes nothing."""
    had = set(deploy.hosts.values_list("host_id", flat=True))
    return {host.pk for host in chosen(deploy.environment)} <= had


@transaction.atomic
def _follow(rule: FollowUp, deploy: Deploy) -> DeployRequest | None:
    owner = rule.run_as
    if owner is None or not owner.may_sign_in:
        words = _(
            "Turned off: its owner %(name)s cannot sign in any more. Save it as somebody who may."
        )
        told = words % {"name": owner or "-"}
        switch_trigger(actor=BY_ITSELF, row=rule, enabled=False, reason=told)
        return None
    same = rule.promotes
    return wish(
        actor=owner,
        key=f"after:{rule.pk}:{deploy.pk}",
        pipeline=rule.pipeline,
        environment=rule.environment,
        trigger=Deploy.Trigger.AFTER,
        kind=Deploy.Kind.PROMOTE if same else Deploy.Kind.DEPLOY,
        ref_kind=Deploy.RefKind.ARTEFACT if same else Deploy.RefKind.BRANCH,
        ref=str(deploy.artefact_id or "") if same else rule.branch,
        artefact=deploy.artefact if same else None,
        reason=_("After %(deploy)s") % {"deploy": deploy},
        follow_up=rule,
    )


def sweep() -> None:
    """Look again at deploys that ended lately: whoever was to be told may have died."""
    if maintenance.is_on():
        return
    since = timezone.now() - LOOKS_BACK
    rules = FollowUp.objects.filter(enabled=True)
    for rule in rules.select_related("after_pipeline", "pipeline"):
        ended = Deploy.objects.filter(
            pipeline=rule.after_pipeline_id,
            environment=rule.after_environment_id,
            status=Deploy.Status.OK,
            kind__in=FORWARD,
            ended_at__gt=max(since, rule.updated_at),
        )
        made = DeployRequest.objects.filter(key__startswith=f"after:{rule.pk}:")
        keys = set(made.values_list("key", flat=True).order_by("-pk")[:1000])
        for pk in ended.order_by("pk").values_list("pk", flat=True):
            if f"after:{rule.pk}:{pk}" not in keys:
                deploy_ended(pk)


def closes_circle(rule: FollowUp) -> list[str]:
    """Give the places of the circle that a rule would close, in order; nothing where it closes none.

    Rules that are off count: somebody may turn them on.
    """
    others = FollowUp.objects.exclude(pk=rule.pk or 0)
    ways: dict[Node, list[Node]] = {}
    for one in others:
        ways.setdefault(_from(one), []).append(_to(one))
    path = _path(ways, _to(rule), _from(rule))
    return _names([_from(rule), *path]) if path else []


def _from(rule: FollowUp) -> Node:
    return rule.after_pipeline_id, rule.after_environment_id


def _to(rule: FollowUp) -> Node:
    return rule.pipeline_id, rule.environment_id


def _path(ways: dict[Node, list[Node]], start: Node, end: Node) -> list[Node]:
    """Find a way by breadth; nothing where there is none."""
    waiting, came = [start], {start: start}
    while waiting:
        here = waiting.pop(0)
        if here == end:
            return _walked(came, start, end)
        for there in ways.get(here, ()):
            if there not in came:
                came[there] = here
                waiting.append(there)
    return []


def _walked(came: dict[Node, Node], start: Node, end: Node) -> list[Node]:
    path = [end]
    while path[-1] != start:
        path.append(came[path[-1]])
    return path[::-1]


def _names(nodes: Iterable[Node]) -> list[str]:
    rows = FollowUp.objects.select_related(
        "pipeline__project",
        "environment",
        "after_pipeline__project",
        "after_environment",
    )
    known: dict[Node, str] = {}
    for one in rows:
        known[_from(one)] = f"{one.after_pipeline} → {one.after_environment.name}"
        known[_to(one)] = f"{one.pipeline} → {one.environment.name}"
    return [known.get(node, "?") for node in nodes]

"""What a retry of a deploy that ended repeats: the same source, its hosts, and nothing that nobody has seen."""

import json
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import may
from delivery.models import Deploy, DeployHost
from delivery.planning.bound import ensure_unchanged, kept_of
from delivery.planning.one_host import KEY
from delivery.planning.plan import Plan
from delivery.planning.planning import make_plan
from delivery.safety.reach import ensure_goes_to
from delivery.way_models import Way

RETRIES = ("failed", "stage")


def hosts_again(*, actor: Any, deploy: Deploy, what: str) -> list[int]:
    """Give the hosts on which somebody may try again a deploy that has ended.

    Args:
        what: "failed": those that do not have the release; "stage": all of the deploy.

    Raises:
        Forbidden: the actor may not. Conflict: it goes on, all is well, or its pipeline does not go there any more. DomainError: `what` is neither.
    """
    ensure_known(what)
    if deploy.is_open:
        words = _("It is still running: there is nothing to retry.")
        raise Conflict(words, code="not_paused")
    if deploy.status == Deploy.Status.OK:
        raise Conflict(_("All is well: there is nothing to retry."), code="all_well")
    if not may(actor, "control", deploy):
        raise Forbidden(_("You may not retry this deploy."))
    ensure_goes_to(deploy.pipeline, deploy.environment)
    return wanted_hosts(deploy, what)


def ensure_known(what: str) -> None:
    """Raise DomainError where this is nothing to retry."""
    if what not in RETRIES:
        words = _("Retry `failed` or `stage`.")
        raise DomainError(words, fields={"what": "failed, stage"})


def plan_again(*, actor: Any, deploy: Deploy, host_ids: list[int]) -> Plan:
    """Make the plan of a deploy's successor; the source may be asked for minutes.

    Raises:
        Conflict: it would be something else than what somebody said yes to (code "plan_changed").
    """
    plan = make_plan(
        actor=actor,
        pipeline=deploy.pipeline,
        environment=deploy.environment,
        **same_source(deploy),
        artefact=deploy.artefact,
        host_ids=host_ids,
        kind=deploy.kind,
    )
    ensure_seen(deploy, plan)
    return replace(plan, warnings=(*plan.warnings, *_other_host(deploy, plan)))


def _other_host(deploy: Deploy, plan: Plan) -> list[str]:
    """Say where commands for one host run on another one than before: that one is not among the hosts of the retry."""
    before, now = deploy.plan.get(KEY), plan.binding.get(KEY)
    if not before or before == now:
        return []
    # Without names: not each reader may know that host. The one where they run now stands beside them.
    return [_("Commands for one host were for another one, which is not tried again.")]


def same_source(deploy: Deploy) -> dict[str, Any]:
    """Name what was delivered, not what a branch is by now."""
    moves_on = deploy.ref_kind in (Deploy.RefKind.BRANCH, Deploy.RefKind.TAG)
    if moves_on and deploy.commit:
        return {"ref_kind": Deploy.RefKind.COMMIT, "ref": deploy.commit}
    return {"ref_kind": deploy.ref_kind, "ref": deploy.ref}


def wanted_hosts(deploy: Deploy, what: str) -> list[int]:
    """Give the hosts of a retry: those that do not have the release ("failed"), or all of the deploy.

    Raises:
        Conflict: there is none.
    """
    rows = deploy.hosts.exclude(host=None)
    if what == "failed":
        rows = rows.exclude(status=DeployHost.Status.OK)
    ids = [pk for pk in rows.values_list("host_id", flat=True) if pk]
    if not ids:
        # An empty choice would mean all hosts of the environment.
        raise Conflict(
            _("None of the hosts that did not end well is left."),
            _("Deploy again where the others are to have it too."),
            code="all_well",
        )
    return ids


def ensure_seen(deploy: Deploy, plan: Plan) -> None:
    """Let pass a plan that differs from what somebody said yes to in its hosts only; a way back is nobody's plan.

    Raises:
        Conflict: it runs, or works as, something else (code "plan_changed"); names what.
    """
    if deploy.is_rollback:
        return
    hint = _("Make a new plan, look at it, and deploy.")
    changed = _changed(deploy, plan)
    if changed:
        words = _("Since somebody said yes this changed: %(what)s.")
        told = words % {"what": ", ".join(changed)}
        raise Conflict(told, hint, code="plan_changed")
    try:
        ensure_unchanged(deploy, [row.host_id for row in plan.rows])
    except DomainError as error:
        raise Conflict(error.message, hint, code="plan_changed") from error


def _changed(deploy: Deploy, plan: Plan) -> list[str]:
    now = json.loads(json.dumps(plan.as_json() | kept_of(plan.binding)))
    before = deploy.plan | {"way": Way.said(deploy.plan.get("way") or {})}
    now["way"] = Way.said(now["way"])
    titles = {
        "way": _("the way of the pipeline"),
        "path": _("the deploy path"),
        "account": _("user and group of the files"),
    }
    return [
        title for name, title in titles.items() if now.get(name) != before.get(name)
    ]

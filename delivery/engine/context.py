"""What the hosts are told about a deploy: of the plan that was frozen, and the variables that count now."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appconf.config.resolving import resolve_hosts
from cmdb.models import Host
from delivery.engine.steps import ONE
from delivery.models import Artefact, Deploy, DeployStep
from delivery.onhost.context import Hooks, HostContext
from delivery.onhost.names import is_for_hooks
from delivery.planning import bound
from delivery.planning.checking import base_context, check_context
from delivery.way_models import Way

Kind = DeployStep.Kind
# Steps that run what people wrote, and so get the variables.
WITH_HOOKS = frozenset({Kind.COMMAND, Kind.ACTIVATE, Kind.SWITCH_BACK, Kind.WATCH})
MOST_PINS = 50
Values = dict[int, dict[str, str]]


def context_of(deploy: Deploy, step: DeployStep) -> HostContext:
    """Give what a step's leg tells the hosts.

    Raises:
        DomainError: a path, a variable or a health target is none that a host could take.
    """
    environment, artefact = deploy.environment, deploy.artefact
    who = deploy.requested_by_name
    base = base_context(deploy.plan, environment, who=who, deploy_id=deploy.pk)
    back = step.kind == Kind.SWITCH_BACK
    # What was live before is better than what failed, whatever was said of it since.
    base = replace(base, bad_too=back or bool(deploy.emergency_reason))
    if step.kind == Kind.CHECK:
        return check_context(base, environment.project, artefact)
    way, told = deploy.way, variables_of(deploy, step)
    return replace(
        base,
        reason=deploy.reason,
        release=deploy.release,
        artefact_sha256=artefact.sha256 if artefact else "",
        commit=deploy.commit or (artefact.commit if artefact else ""),
        branch=deploy.branch,
        batch="" if step.batch is None else str(step.batch + 1),
        rollback=deploy.is_rollback or back,
        mark_bad=back
        and deploy.ending == Deploy.Status.FAILED
        and not deploy.is_rollback,
        word=_word(deploy),
        keep=way["keep"],
        pins=_pins(deploy),
        hooks=_hooks(way),
        host_variables=told[0],
        host_secrets=told[1],
        host_names=dict(deploy.hosts.values_list("host_id", "host_name")),
        stage_timeout=step.options.get("timeout", way["timeout_seconds"]),
        urgent=deploy.is_rollback or bool(deploy.ending),
    )


def _word(deploy: Deploy) -> str:
    words = {"rollback": "rolled back", "promote": "promoted"}
    return words.get(deploy.kind, "deployed")


def _hooks(way: Mapping[str, Any]) -> Hooks:
    blue_green = way["policy"] == Way.Policy.BLUE_GREEN
    return Hooks(
        before_switch=way["before_switch"],
        drain=way["drain"],
        restart=way["restart"],
        switch=way["switch_command"] if blue_green else "",
        after_switch=way["after_switch"],
        back=way["back"],
    )


def _pins(deploy: Deploy) -> tuple[str, ...]:
    """Name the releases that somebody wants to be kept."""
    kept = Artefact.objects.filter(project=deploy.pipeline.project_id, kept=True)
    return tuple(one.release for one in kept.order_by("-number")[:MOST_PINS])


def variables_of(deploy: Deploy, step: DeployStep) -> tuple[Values, Values]:
    """Give the variables of each host, and the secret ones; none for steps that run no hook."""
    plain: Values = {}
    secret: Values = {}
    if step.kind not in WITH_HOOKS:
        return plain, secret
    rows = deploy.hosts.exclude(host=None)
    if step.kind == Kind.ACTIVATE and step.batch is not None:
        # One by one, each batch opens the variables of its own host and not of all.
        rows = rows.filter(batch=step.batch)
    if ONE in step.options:
        rows = rows.filter(pk=step.options[ONE])
    hosts = list(Host.objects.filter(pk__in=rows.values("host_id")))
    resolved = resolve_hosts(deploy.environment, hosts)
    if not deploy.ending:
        bound.ensure_variables(deploy, resolved)
    for pk, found in resolved.items():
        for name, decided in found.items():
            winner = decided.winner
            if winner is None or not is_for_hooks(name):
                continue
            into = secret if winner.is_secret else plain
            into.setdefault(pk, {})[name] = winner.value(reveal=True)
    return plain, secret

"""What the hosts are told about a deploy: of the plan that was frozen, and the variables that count now."""

from collections.abc import Iterable, Mapping
from typing import Any

from appconf.config.resolving import resolve_hosts
from cmdb.models import Host
from delivery.artefacts import store
from delivery.models import Artefact, Deploy, DeployStep
from delivery.onhost.context import Health, Hooks, HostContext
from delivery.onhost.names import is_for_hooks
from delivery.planning import bound
from delivery.stages import paths
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
    way, project = deploy.way, deploy.pipeline.project
    artefact, told = deploy.artefact, variables_of(deploy, step)
    shared, account = paths(way["shared_paths"]), bound.account_of(deploy)
    back = deploy.is_rollback or step.kind == Kind.SWITCH_BACK
    return HostContext(
        root=deploy.plan["path"],
        deploy_id=deploy.pk,
        who=deploy.requested_by_name,
        reason=deploy.reason,
        release=deploy.release,
        artefact_sha256=artefact.sha256 if artefact else "",
        commit=deploy.commit or (artefact.commit if artefact else ""),
        branch=deploy.branch,
        project=project.code,
        environment=deploy.environment.code,
        batch="" if step.batch is None else str(step.batch + 1),
        rollback=back,
        word=_word(deploy),
        shared=shared,
        brings=_brings(artefact, shared),
        keep=way["keep"],
        pins=_pins(deploy),
        hooks=_hooks(way),
        health=_health(way),
        run_user=account[0],
        run_group=account[1],
        need_bytes=_size(deploy),
        host_variables=told[0],
        host_secrets=told[1],
        host_names=dict(deploy.hosts.values_list("host_id", "host_name")),
        stage_timeout=step.options.get("timeout", way["timeout_seconds"]),
        forks=way["forks"],
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


def _health(way: Mapping[str, Any]) -> Health:
    return Health(
        kind=way["health_kind"],
        target=way["health_target"],
        content=way["health_content"],
        wait_seconds=way["health_wait_seconds"],
        timeout_seconds=way["health_timeout_seconds"],
        attempts=way["health_attempts"],
        pause_seconds=way["health_pause_seconds"],
    )


def _brings(artefact: Artefact | None, shared: Iterable[str]) -> tuple[str, ...]:
    """Name the shared files that the release itself brings."""
    if artefact is None or not store.has(artefact.sha256):
        return ()
    files = store.manifest(artefact.sha256).files
    return tuple(path for path in shared if path in files)


def _pins(deploy: Deploy) -> tuple[str, ...]:
    """Name the releases that somebody wants to be kept."""
    kept = Artefact.objects.filter(project=deploy.pipeline.project_id, kept=True)
    return tuple(one.release for one in kept.order_by("-number")[:MOST_PINS])


def _size(deploy: Deploy) -> int:
    """Say how much room a release takes: of this one, or of the one before it while it is not built."""
    if deploy.artefact is not None:
        return deploy.artefact.size
    rows = Artefact.objects.filter(project=deploy.pipeline.project_id)
    last = rows.order_by("-number").first()
    return last.size if last else 0


def variables_of(deploy: Deploy, step: DeployStep) -> tuple[Values, Values]:
    """Give the variables of each host, and the secret ones; none for steps that run no hook."""
    plain: Values = {}
    secret: Values = {}
    if step.kind not in WITH_HOOKS:
        return plain, secret
    rows = deploy.hosts.exclude(host=None).values("host_id")
    hosts = list(Host.objects.filter(pk__in=rows))
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

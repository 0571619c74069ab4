"""What hosts are told of a plan: the same by the checks while one reads it, and by the deploy that does it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from appconf.models import Environment, Project
from delivery.artefacts import store
from delivery.models import Artefact
from delivery.onhost.context import Health, HostContext
from delivery.stages import paths

LAST_PORT = 65_535


def base_context(
    plan: Mapping[str, Any], environment: Environment, *, who: str, deploy_id: int = 0
) -> HostContext:
    """Give what every program of a plan is told.

    Args:
        plan: as plain values, see planning/plan.py. who: name of the person. deploy_id: 0 before there is a deploy.

    Raises:
        DomainError: a path or a health target is none that a host could take.
    """
    way, project = plan["way"], environment.project
    user, group = _account(plan, project)
    return HostContext(
        root=plan["path"],
        deploy_id=deploy_id,
        who=who,
        project=project.code,
        environment=environment.code,
        shared=paths(way["shared_paths"]),
        health=_health(way),
        run_user=user,
        run_group=group,
        log_path=project.log_path,
        forks=way["forks"],
    )


def check_context(
    context: HostContext, project: Project, artefact: Artefact | None
) -> HostContext:
    """Add what the checks before a deploy look for.

    Args:
        artefact: None while it is not built: then the newest of the project tells how much room it will take.
    """
    known = Artefact.objects.filter(project=project).order_by("-number")
    sized = artefact or known.first()
    return replace(
        context,
        release=artefact.release if artefact else "",
        brings=_brings(artefact, context.shared),
        need_bytes=sized.size if sized else 0,
        need_files=sized.file_count if sized else 0,
        ports=ports_of(project.ports),
    )


def ports_of(text: str) -> tuple[str, ...]:
    """Give the ports of a text such as "8080, 9000/udp" as a host is told them: 8080/tcp, 9000/udp."""
    found = []
    for one in text.split(","):
        number, _slash, kind = one.strip().partition("/")
        if number.isdecimal() and len(number) <= 5 and 0 < int(number) <= LAST_PORT:
            found.append(f"{int(number)}/{kind or 'tcp'}")
    return tuple(found)


def _account(plan: Mapping[str, Any], project: Project) -> Sequence[str]:
    """Give user and group of the files: of a deploy as they were when somebody said yes."""
    return plan.get("account") or (project.run_user, project.run_group)


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


def _brings(artefact: Artefact | None, shared: Sequence[str]) -> tuple[str, ...] | None:
    """Name the shared files that the release itself brings; None where nobody knows yet."""
    wanted = [path for path in shared if not path.endswith("/")]
    if not wanted:
        return ()
    if artefact is None or not store.has(artefact.sha256):
        return None
    files = store.manifest(artefact.sha256).files
    return tuple(path for path in wanted if path in files)

"""Starts what a program or a web-hook asked for, as carefully as the page does: critical hosts go in batches."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import transaction

from adminset import audit
from adminset.errors import DomainError
from tasks.launching.preview import Preview, preview
from tasks.models import Run
from tasks.run_api.asking import Asked
from tasks.services import batches
from tasks.services.launch import RunSpec, request_run


@transaction.atomic
def start(*, actor: Any, asked: Asked) -> Run:
    """Ask for the run; tasks.tasks.send calls a worker for it.

    Raises:
        Forbidden, Conflict, DomainError: as request_run.
    """
    spec = asked.spec
    if needs_look(asked):
        spec = in_batches(asked, preview(actor, spec))
    run = request_run(actor=actor, spec=spec)
    if asked.template is not None:
        told = [{"field": "run", "old": None, "new": f"#{run.pk}"}]
        audit.record(actor, "template.launch", asked.template, changes=told)
    return run


def needs_look(asked: Asked) -> bool:
    """Say whether it matters which of the hosts are critical."""
    return not asked.spec.batches and not asked.without_batches


def in_batches(asked: Asked, found: Preview) -> RunSpec:
    """Give what runs: on several hosts, one of them critical, in the batches that the page would propose."""
    bold = bool(found.critical) and len(found.rows) > 1
    if not bold or not needs_look(asked):
        return asked.spec
    return replace(asked.spec, batches=settings.RUN_CRITICAL_BATCHES)


def told(user: Any, asked: Asked) -> dict[str, Any]:
    """Say what would run where, and start nothing."""
    found = preview(user, asked.spec)
    spec = in_batches(asked, found)
    return {
        "dry_run": True,
        "kind": spec.kind,
        "title": spec.title,
        "problem": found.problem,
        "host_count": len(found.rows),
        "left_out": found.left_out,
        "outside": found.outside,
        "batches": spec.batches,
        "batch_sizes": _sizes(spec.batches, len(found.rows)),
        "critical": len(found.critical),
        "obstacles": found.warned,
        "owners": [{"name": name, "hosts": number} for name, number in found.owners],
        "hosts": [_host(row) for row in found.sorted_rows],
    }


def _host(row: Any) -> dict[str, Any]:
    return {
        "id": row.host.pk,
        "name": row.host.hostname,
        "obstacles": [obstacle.text for obstacle in row.warnings],
        "critical": row.critical,
        "frozen": row.frozen,
        "busy": len(row.busy),
    }


def _sizes(expression: str, number: int) -> list[int]:
    try:
        return batches.sizes(expression, number) if expression and number else []
    except DomainError:
        return []

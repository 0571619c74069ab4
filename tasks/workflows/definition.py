"""A workflow as data: frozen into its runs, and opened again step by step."""

import json
from collections.abc import Mapping
from datetime import time
from typing import Any

from adminset.crypto import Secret
from tasks.models import Workflow, WorkflowRun, WorkflowStep
from tasks.workflow_models import WorkflowEdge

# Kept apart, encrypted.
SECRET = ("sealed", "hook_url")
PLAIN = tuple(
    name for name in (*WorkflowStep.OWN, *WorkflowStep.FIELDS) if name not in SECRET
)


def freeze(workflow: Workflow) -> dict[str, Any]:
    """Give the definition of a workflow as JSON types; what is secret is left out."""
    rows = workflow.steps.prefetch_related("hosts", "groups")
    edges = WorkflowEdge.objects.filter(workflow=workflow).select_related(
        "source", "target"
    )
    return {
        "steps": [freeze_step(step) for step in rows],
        "edges": [
            {"source": edge.source.key, "target": edge.target.key, "when": edge.when}
            for edge in edges
        ],
    }


def freeze_step(step: WorkflowStep) -> dict[str, Any]:
    """Give the plain fields of a step, related objects by their ids."""
    frozen: dict[str, Any] = {}
    for name in PLAIN:
        field: Any = step._meta.get_field(name)
        value = getattr(step, field.attname)
        frozen[name] = value.isoformat() if isinstance(value, time) else value
    frozen["hosts"] = sorted(host.pk for host in step.hosts.all())
    frozen["groups"] = sorted(group.pk for group in step.groups.all())
    return frozen


def secrets_of(workflow: Workflow) -> str:
    """Give what the steps keep sealed, opened, as one JSON text for a column that seals it again; "" where there is none."""
    found: dict[str, dict[str, str]] = {}
    for step in workflow.steps.all():
        opened = {
            name: secret.reveal()
            for name in SECRET
            if isinstance(secret := getattr(step, name), Secret)
        }
        if opened:
            found[step.key] = opened
    return json.dumps(found) if found else ""


def step_of(run: WorkflowRun, key: str) -> dict[str, Any]:
    """Give the frozen step of a run of a workflow."""
    return next(step for step in run.definition["steps"] if step["key"] == key)


def secret_of(run: WorkflowRun, key: str, name: str) -> str:
    """Open what a step keeps sealed ("hook_url", "sealed"); "" where it keeps nothing."""
    if not isinstance(run.sealed, Secret):
        return ""
    opened: Mapping[str, Any] = json.loads(run.sealed.reveal())
    return str(opened.get(key, {}).get(name, ""))


def row_of(frozen: Mapping[str, Any]) -> WorkflowStep:
    """Make a step of a frozen one again, to read and never to save; its hosts and groups stand in the frozen one."""
    row = WorkflowStep()
    for name in PLAIN:
        field: Any = row._meta.get_field(name)
        value = frozen.get(name, field.get_default())
        if name == "wait_until" and value:
            value = time.fromisoformat(value)
        setattr(row, field.attname, value)
    return row

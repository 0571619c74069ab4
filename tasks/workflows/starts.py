"""Starting a workflow: its definition is frozen, its steps stand ready to be judged."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import limits
from adminset import audit
from adminset.errors import DomainError, Forbidden
from tasks.models import Workflow, WorkflowRun, WorkflowStep, WorkflowStepRun
from tasks.workflows.definition import freeze, secrets_of
from tasks.workflows.graph import check_graph, graph_of
from tasks.workflows.values import check_variables

Does = WorkflowStep.Does


@transaction.atomic
def start_workflow(
    *, actor: Any, workflow: Workflow, variables: dict[str, Any] | None = None
) -> WorkflowRun:
    """Write down a run of a workflow as it is now; the engine begins with its first steps.

    Args:
        actor: as whom each step runs; what he may do is judged again at each of them.
        variables: in place of the workflow's own.

    Raises:
        Forbidden: the actor may not start workflows (or work on hosts, where there is some), or a token with limits asks.
        DomainError: it is off, has no steps, or cannot run.
    """
    definition = freeze(workflow)
    _check_start(actor, workflow, definition)
    known = check_variables(workflow.variables)
    given = check_variables(variables or {})
    run = WorkflowRun.objects.create(
        workflow=workflow,
        name=workflow.name,
        version=workflow.version,
        definition=definition,
        sealed=secrets_of(workflow),
        variables=known | given,
        requested_by=actor,
        requested_by_name=actor.username,
    )
    WorkflowStepRun.objects.bulk_create(
        WorkflowStepRun(
            workflow_run=run,
            key=step["key"],
            title=step["title"],
            does=step["does"],
            position=number,
        )
        for number, step in enumerate(definition["steps"])
    )
    told = {"version": run.version, "variables": run.variables}
    changes = [{"field": name, "old": None, "new": told[name]} for name in told]
    audit.record(actor, "workflow.start", run, changes=changes)
    return run


def _check_start(actor: Any, workflow: Workflow, definition: dict[str, Any]) -> None:
    ensure_whole_user(actor)
    if not actor.has_perm("tasks.add_workflowrun"):
        raise Forbidden(
            _("You may not start workflows."),
            _("Ask an administrator for the permission tasks.add_workflowrun."),
        )
    work = {Does.WORK, Does.TEMPLATE} & {step["does"] for step in definition["steps"]}
    if work and not actor.has_perm("tasks.add_run"):
        raise Forbidden(
            _("This workflow runs work on hosts, and you may not start runs."),
            _("Ask an administrator for the permission tasks.add_run."),
        )
    if not workflow.enabled:
        raise DomainError(_("%(name)s is off.") % {"name": workflow})
    if not definition["steps"]:
        raise DomainError(
            _("%(name)s has no step.") % {"name": workflow}, _("Add one first.")
        )
    check_graph(graph_of(definition))


def ensure_whole_user(actor: Any) -> None:
    """Let pass who speaks with all rights of the user: the steps run with them, even after a token is revoked.

    Raises:
        Forbidden: a token speaks that may do less than its user.
    """
    limits.ensure_whole_user(
        actor,
        _("A token with limits may not start or resume workflows."),
        _("Their steps run with all rights of the user: use a token without limits."),
    )

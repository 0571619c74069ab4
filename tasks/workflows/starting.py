"""What a step runs: its work with the values of earlier steps filled in, as the one who started the workflow."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from adminset.errors import DomainError, Forbidden
from adminset.querysets import may
from tasks.models import RunHost, Template, WorkflowRun, WorkflowStep, WorkflowStepRun
from tasks.services.specs import RunSpec, spec_of
from tasks.workflows.definition import row_of, secret_of, step_of
from tasks.workflows.values import fill, fill_arguments

Does = WorkflowStep.Does
Which = WorkflowStep.Which


def spec_for(run: WorkflowRun, key: str) -> RunSpec:
    """Say what a step of work asks for, values not filled in yet.

    Raises:
        Forbidden: its template may not be used by the one who started the workflow.
        DomainError: what it needs is gone; the step whose hosts it takes has none.
    """
    frozen = step_of(run, key)
    targets = targets_of(run, frozen)
    title = f"{run.name}: {frozen['title'] or key}"
    if frozen["does"] == Does.TEMPLATE:
        return replace(_of_template(run, frozen, targets), title=title)
    row = row_of(frozen)
    kept = secret_of(run, key, "sealed")
    return replace(
        spec_of(row, **targets),
        title=title,
        secret_answers=json.loads(kept) if kept else {},
    )


def _of_template(
    run: WorkflowRun, frozen: Mapping[str, Any], targets: Mapping[str, Any]
) -> RunSpec:
    template = Template.objects.filter(pk=frozen["template"]).first()
    if template is None:
        raise DomainError(_("The template of this step is gone."))
    if not may(run.requested_by, "use", template):
        raise Forbidden(
            _("%(user)s may not launch the template %(name)s.")
            % {"user": run.requested_by, "name": template},
            _("Ask for the permission to launch it (tasks.use_template)."),
            code="template_refused",
        )
    _check_asked(template, frozen, targets)
    spec = spec_of(template, **_targets_with(template, frozen, targets))
    return replace(
        spec,
        answers={**spec.answers, **frozen["answers"]},
        variables={**spec.variables, **frozen["variables"]},
    )


# The fields that say where, by what they are called in a spec.
WHERE = {"hosts": "host_ids", "groups": "group_ids", "host_filter": "host_filter"}


def _targets_with(
    template: Template, frozen: Mapping[str, Any], targets: Mapping[str, Any]
) -> dict[str, Any]:
    """Give where a template works: where the step says so, in place of what is left open; what is fixed stays."""
    own = {
        "hosts": tuple(template.hosts.values_list("pk", flat=True)),
        "groups": tuple(template.groups.values_list("pk", flat=True)),
        "host_filter": template.host_filter,
    }
    # Hosts of an earlier step may be none: that is said, too.
    said = bool(frozen["hosts_from"]) or any(targets.values())
    return {
        name: targets[name] if said and field in template.ask else own[field]
        for field, name in WHERE.items()
    }


def _check_asked(
    template: Template, frozen: Mapping[str, Any], targets: Mapping[str, Any]
) -> None:
    """Let a step say only what its template leaves open."""
    said = {field for field, name in WHERE.items() if targets[name]}
    said |= {"hosts"} if frozen["hosts_from"] else set()
    said |= {name for name in ("answers", "variables") if frozen[name]}
    fixed = sorted(said - set(template.ask))
    if fixed:
        raise DomainError(
            _("The template %(name)s fixes what this step changes: %(fields)s.")
            % {"name": template, "fields": ", ".join(fixed)},
            _("Let the template leave that open, or leave it out of the step."),
            code="template_fixed",
        )


def filled(run: WorkflowRun, spec: RunSpec) -> RunSpec:
    """Fill the values of earlier steps into variables, answers and the arguments of a script.

    Raises:
        DomainError: a value that nobody set.
    """
    steps, variables = values_of_steps(run), run.variables
    return replace(
        spec,
        variables=fill(spec.variables, steps, variables),
        answers=fill(spec.answers, steps, variables),
        script_arguments=fill_arguments(spec.script_arguments, steps, variables),
    )


def values_of_steps(run: WorkflowRun) -> dict[str, dict[str, Any]]:
    """Give what the steps of a run have handed on so far."""
    ended = WorkflowStepRun.objects.filter(workflow_run=run).exclude(
        status__in=WorkflowStepRun.OPEN
    )
    return {row.key: row.values for row in ended}


def targets_of(run: WorkflowRun, frozen: Mapping[str, Any]) -> dict[str, Any]:
    """Give where a step works: its own hosts, groups and filter, or hosts of an earlier step."""
    if frozen["hosts_from"]:
        found = hosts_from(run, frozen["hosts_from"], frozen["hosts_which"])
        return {"host_ids": found, "group_ids": (), "host_filter": ""}
    return {
        "host_ids": tuple(frozen["hosts"]),
        "group_ids": tuple(frozen["groups"]),
        "host_filter": frozen["host_filter"],
    }


def hosts_from(run: WorkflowRun, key: str, which: str) -> tuple[int, ...]:
    """Give the hosts of an earlier step by how it ended there."""
    source = WorkflowStepRun.objects.filter(workflow_run=run, key=key).first()
    if source is None or source.run_id is None:
        return ()
    rows = RunHost.objects.filter(run=source.run_id, host__isnull=False).meant()
    if which == Which.OK:
        rows = rows.filter(status=RunHost.Status.OK)
    elif which == Which.FAILED:
        rows = rows.exclude(status=RunHost.Status.OK)
    return tuple(rows.values_list("host_id", flat=True))

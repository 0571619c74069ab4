"""Writing workflows: each change of a step counts a new version, and nothing is kept that could never run."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from adminset import audit
from adminset.crud import services as crud
from adminset.errors import DomainError
from tasks.models import Workflow, WorkflowEdge, WorkflowStep
from tasks.services.vouching import carries_own
from tasks.workflows.definition import freeze
from tasks.workflows.graph import check_graph, graph_of
from tasks.workflows.values import GIVEN, check_variables, references

Does = WorkflowStep.Does
# The fields in which values of earlier steps are filled in.
FILLED = ("variables", "answers", "script_arguments", "hook_body")
NEVER_FILLED = ("command", "arguments", "script_text", "module")


@transaction.atomic
@carries_own
def save_workflow(*, actor: Any, form: Any) -> Workflow:
    """Save a workflow's form; who makes it owns it.

    Raises:
        DomainError: its variables are none.
    """
    workflow = form.instance
    if workflow.pk is None:
        workflow.owner = actor
    elif form.has_changed():
        workflow.version += 1
    workflow.variables = check_variables(form.cleaned_data.get("variables") or {})
    saved: Workflow = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    check_workflow(saved)
    return saved


@transaction.atomic
@carries_own
def save_step(
    *, actor: Any, workflow: Workflow, form: Any, edges: Mapping[str, str]
) -> WorkflowStep:
    """Save a step and what it comes after.

    Args:
        form: a valid form of a step, whose instance belongs to the workflow.
        edges: key of an earlier step -> success, failure or always.

    Raises:
        DomainError: a circle, a step that can never run, a value of a step that does not come before, too many steps.
    """
    locked = Workflow.objects.select_for_update().get(pk=workflow.pk)
    step = form.instance
    creating = step.pk is None
    before = {} if creating else {step.key: form.before}
    if creating:
        step.position = _next_position(locked)
    step = form.save()
    WorkflowEdge.objects.filter(target=step).delete()
    sources = {row.key: row for row in locked.steps.exclude(pk=step.pk)}
    WorkflowEdge.objects.bulk_create(
        WorkflowEdge(workflow=locked, source=sources[key], target=step, when=when)
        for key, when in edges.items()
        if when and key in sources
    )
    check_workflow(locked)
    after = audit.snapshot(step) | {"edges": dict(edges)}
    changes = audit.changed(before.get(step.key, {}), after) + form.secret_changes()
    _note(actor, locked, changes, step.key)
    return step


def _next_position(workflow: Workflow) -> int:
    last = workflow.steps.order_by("-position").values_list("position", flat=True)
    return (last.first() or 0) + 1


@transaction.atomic
@carries_own
def delete_step(*, actor: Any, step: WorkflowStep) -> None:
    """Take a step out of a workflow.

    Raises:
        DomainError: a later step uses its hosts or values.
    """
    workflow = Workflow.objects.select_for_update().get(pk=step.workflow_id)
    gone = audit.snapshot(step)
    key = step.key
    step.delete()
    check_workflow(workflow)
    changes = [{"field": "step", "old": gone.get("title") or key, "new": None}]
    _note(actor, workflow, changes, key)


def _note(
    actor: Any, workflow: Workflow, changes: list[audit.Change], reason: str
) -> None:
    """Count a version and write the line of the trail."""
    Workflow.objects.filter(pk=workflow.pk).update(version=F("version") + 1)
    workflow.refresh_from_db(fields=["version"])
    if changes:
        audit.record(actor, "workflow.update", workflow, changes=changes, reason=reason)


def check_workflow(workflow: Workflow) -> None:
    """Let pass what can run.

    Raises:
        DomainError: says which step is at fault, and why.
    """
    definition = freeze(workflow)
    if len(definition["steps"]) > settings.WORKFLOW_MAX_STEPS:
        raise DomainError(
            _("A workflow has at most %(most)s steps.")
            % {"most": settings.WORKFLOW_MAX_STEPS}
        )
    graph = graph_of(definition)
    check_graph(graph)
    does = {step["key"]: step["does"] for step in definition["steps"]}
    for step in definition["steps"]:
        before = graph.before(step["key"])
        _check_step(step, workflow.variables, before, does)


def _check_step(
    step: Mapping[str, Any],
    variables: Mapping[str, Any],
    before: set[str],
    does: Mapping[str, str],
) -> None:
    _check_hosts(step, before, does)
    for name in NEVER_FILLED:
        if any(references(step[name])):
            raise DomainError(
                _(
                    "The step %(step)s has a value of a step in its %(field)s, where a host could take it for a command."
                )
                % {"step": step["key"], "field": name},
                _("Values go into variables, answers and the arguments of a script."),
                code="value_in_text",
            )
    for name in FILLED:
        for key, value in references(step[name]):
            _check_reference(step["key"], key, value, variables, before, does)


def _check_hosts(
    step: Mapping[str, Any], before: set[str], does: Mapping[str, str]
) -> None:
    source = step["hosts_from"]
    if not source:
        return
    if source not in before or does[source] not in (Does.WORK, Does.TEMPLATE):
        raise DomainError(
            _(
                "The step %(step)s takes its hosts from %(source)s, which is no work that comes before it."
            )
            % {"step": step["key"], "source": source},
            _("Let it come after that step, or choose hosts."),
            code="hosts_of_no_step",
        )


def _check_reference(
    step: str,
    key: str,
    name: str,
    variables: Mapping[str, Any],
    before: set[str],
    does: Mapping[str, str],
) -> None:
    if not key:
        if name in variables:
            return
        raise DomainError(
            _(
                "The step %(step)s uses the variable %(name)s, which the workflow does not have."
            )
            % {"step": step, "name": name},
            _("Add it to the variables of the workflow."),
            code="value_unknown",
        )
    if key not in before:
        raise DomainError(
            _(
                "The step %(step)s uses a value of %(other)s, which does not come before it."
            )
            % {"step": step, "other": key},
            _("Let it come after that step."),
            code="value_unknown",
        )
    if does[key] == Does.WAIT or (does[key] == Does.APPROVAL and name in GIVEN):
        raise DomainError(
            _("The step %(step)s uses a value of %(other)s, which has none.")
            % {"step": step, "other": key},
            code="value_unknown",
        )

"""A workflow as YAML: given out without its secrets, taken in through the same forms as the pages."""

from collections.abc import Mapping
from typing import Any

import yaml
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import models, transaction
from django.utils.translation import gettext as _

from adminset.crud.forms import bound_form, natural_field
from adminset.crud.rest import form_error
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import may
from tasks.models import Workflow, WorkflowEdge, WorkflowStep
from tasks.services.vouching import carries_own
from tasks.workflows.forms import WorkflowForm
from tasks.workflows.graph import Edge, Graph, Node
from tasks.workflows.saving import save_step, save_workflow
from tasks.workflows.step_forms import FORMS

LONGEST = 1_000_000
LONGEST_NUMBER = 40
NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
KEPT = ("sealed", "hook_url")
# Not asked for by a form.
APART = ("position", "does", *KEPT)


class _Loader(yaml.SafeLoader):
    """Refuses what is short to write and takes hours and gigabytes to read: aliases of aliases, numbers of a million digits."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Make a node of what comes next."""
        mark = self.peek_event().start_mark
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(
                problem=_("anchors and aliases are not taken"), problem_mark=mark
            )
        node: Any = super().compose_node(parent, index)
        if node.tag in NUMBERS and len(node.value) > LONGEST_NUMBER:
            raise yaml.composer.ComposerError(
                problem=_("a number is too long"), problem_mark=mark
            )
        return node


def as_data(workflow: Workflow) -> dict[str, Any]:
    """Give a workflow as JSON types, related objects by their names, without what is as usual and without secrets."""
    edges: dict[int, dict[str, str]] = {}
    for edge in WorkflowEdge.objects.filter(workflow=workflow).select_related("source"):
        edges.setdefault(edge.target_id, {})[edge.source.key] = str(edge.when)
    rows = workflow.steps.prefetch_related("hosts", "groups")
    told: dict[str, Any] = {
        "name": workflow.name,
        "description": workflow.description,
        "variables": workflow.variables,
        "steps": [_step_data(step, edges.get(step.pk, {})) for step in rows],
    }
    return {name: value for name, value in told.items() if value}


def _step_data(step: WorkflowStep, after: Mapping[str, str]) -> dict[str, Any]:
    usual = WorkflowStep()
    told: dict[str, Any] = {"key": step.key, "title": step.title, "does": step.does}
    for name in FORMS[step.does].known_names():
        field: Any = _field(name)
        if field is None or name in told or name in APART:
            continue
        if field.many_to_many:
            value: Any = [_name_of(row) for row in getattr(step, name).all()]
        elif field.is_relation:
            value = _name_of(getattr(step, name)) if getattr(step, name) else None
        else:
            value = getattr(step, name)
            value = None if value == getattr(usual, name) else value
        if value not in (None, "", [], {}):
            told[name] = value if isinstance(value, int | list | dict) else str(value)
    if step.does == WorkflowStep.Does.WORK:
        told["kind"] = str(step.kind)
    return told | ({"after": dict(after)} if after else {})


def _field(name: str) -> Any:
    try:
        return WorkflowStep._meta.get_field(name)
    except FieldDoesNotExist:
        return None


def _name_of(row: models.Model) -> Any:
    name = natural_field(type(row))
    return getattr(row, name) if name else row.pk


def as_text(workflow: Workflow) -> str:
    """Give a workflow as YAML."""
    text: str = yaml.safe_dump(as_data(workflow), sort_keys=False, allow_unicode=True)
    return text


def take_text(*, actor: Any, text: str, replace: bool = False) -> Workflow:
    """Make a workflow of YAML (JSON is YAML, too); see `take`."""
    if len(text) > LONGEST:
        raise DomainError(_("This is too long for a workflow."))
    try:
        data = yaml.load(text, _Loader)  # noqa: S506 - derived from SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        why = " ".join(str(error).split())[:200]
        raise DomainError(_("This is no YAML: %(why)s.") % {"why": why}) from None
    return take(actor=actor, data=data, replace=replace)


@transaction.atomic
@carries_own
def take(*, actor: Any, data: Any, replace: bool = False) -> Workflow:
    """Make a workflow, or put another in place of the one of that name; all of it or nothing.

    Secrets of steps that keep their key stay.

    Raises:
        Forbidden: the actor may not add workflows, or not change this one.
        Conflict: the name is taken, and it is not to be replaced.
        DomainError: says which step is at fault, and why.
    """
    steps = _steps_of(data)
    head = {n: data[n] for n in ("name", "description", "variables") if n in data}
    held = Workflow.objects.filter(name=str(head.get("name", ""))).first()
    _check_may(actor, held, replace)
    form = _valid(WorkflowForm, actor, head, held, _("The workflow"))
    workflow = save_workflow(actor=actor, form=form)
    secrets = {step.key: step for step in workflow.steps.all()}
    workflow.steps.all().delete()
    for step in _in_order(steps):
        _take_step(actor, workflow, step, secrets.get(step["key"]))
    return workflow


def _check_may(actor: Any, held: Workflow | None, replace: bool) -> None:
    if held is None and not actor.has_perm("tasks.add_workflow"):
        raise Forbidden(_("You may not add workflows."))
    if held is not None and not may(actor, "change", held):
        raise Forbidden(_("You may not change the workflow of this name."))
    if held is not None and not replace:
        raise Conflict(
            _("There is a workflow %(name)s.") % {"name": held},
            _("Say that it is to be replaced, or give another name."),
            code="name_taken",
        )


def _steps_of(data: Any) -> list[dict[str, Any]]:
    """Give the steps, whose shape is right.

    Raises:
        DomainError: something else stands there.
    """
    known = {"name", "description", "variables", "steps"}
    if not isinstance(data, dict) or set(data) - known:
        raise DomainError(
            _("A workflow has %(keys)s.") % {"keys": ", ".join(sorted(known))}
        )
    steps = data.get("steps") or []
    if not isinstance(steps, list) or not all(isinstance(s, dict) for s in steps):
        raise DomainError(_("`steps` is a list of steps."))
    for number, step in enumerate(steps, 1):
        after = step.get("after") or {}
        fine = isinstance(after, dict) and all(
            when in WorkflowEdge.When.values for when in after.values()
        )
        if not fine or step.get("does", "work") not in FORMS or not step.get("key"):
            raise DomainError(
                _("Step %(number)s is not right.") % {"number": number},
                _(
                    "It has a key, does one of %(does)s, and comes `after` others: success, failure or always."
                )
                % {"does": ", ".join(FORMS)},
            )
    return steps


def _in_order(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give the steps so that each comes behind those it waits for.

    Raises:
        DomainError: they wait for each other in a circle, or for one that is not there.
    """
    keys = [str(step["key"]) for step in steps]
    for step in steps:
        missing = {str(key) for key in step.get("after") or {}} - {*keys}
        if missing:
            raise DomainError(
                _("The step %(step)s waits for %(other)s, which is not there.")
                % {"step": step["key"], "other": ", ".join(sorted(missing))}
            )
    edges = [
        Edge(str(source), str(step["key"]))
        for step in steps
        for source in step.get("after") or {}
    ]
    layers = Graph([Node(key) for key in keys], edges).layers()
    return sorted(steps, key=lambda step: layers[str(step["key"])])


def _take_step(
    actor: Any, workflow: Workflow, data: Mapping[str, Any], old: WorkflowStep | None
) -> None:
    does = data.get("does", "work")
    row = WorkflowStep(workflow=workflow, does=does)
    if old is not None and old.does == does:
        for name in KEPT:
            setattr(row, name, getattr(old, name))
    values = {n: v for n, v in data.items() if n not in ("does", "after")}
    title = _("The step %(key)s") % {"key": str(data["key"])[:40]}
    values.setdefault("title", str(data["key"]))
    form = _valid(FORMS[does], actor, values, row, title)
    after = {str(k): str(v) for k, v in (data.get("after") or {}).items()}
    save_step(actor=actor, workflow=workflow, form=form, edges=after)


def _valid(
    form_class: Any, actor: Any, values: Mapping[str, Any], row: Any, title: str
) -> Any:
    """Give a valid form of values.

    Raises:
        DomainError: names what is at fault.
    """
    try:
        form = bound_form(form_class, user=actor, values=values, instance=row)
        if form.is_valid():
            return form
        problem = form_error(form.errors)
    except ValidationError as error:
        problem = form_error(error.message_dict)
    words = "; ".join(f"{name}: {text}" for name, text in problem.fields.items())
    raise DomainError(
        f"{title}: {words or problem.message}", problem.hint, fields=problem.fields
    )

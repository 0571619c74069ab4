"""What the values of a message start: through the same forms as a page, as the user who saved the web-hook last."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from adminset.crud.rest import form_error
from adminset.errors import DomainError
from tasks import tasks
from tasks.hooks.paths import as_text
from tasks.launching.preview import preview
from tasks.launching.template_services import ensure_may_launch, form_of_values
from tasks.models import InHook, Run, Template, Work, WorkflowRun
from tasks.run_api.asking import Asked
from tasks.run_api.starting import in_batches, start
from tasks.services.launch import RunSpec
from tasks.services.vouching import ensure_vouched
from tasks.taskmodules.definitions import Definition
from tasks.taskmodules.resolving import checked_answers, definition_of
from tasks.workflows import calls
from tasks.workflows.values import check_variables

Does = InHook.Does
# Of a template a message says only what cannot become code: never a command, a script or its arguments, or a filter.
PLAIN = ("title", "hosts", "groups")
DEEP = ("answers", "variables")
Values = Mapping[str, Any]


@dataclass
class Outlook:
    """What would start: in words, on how many hosts, with which values; `problem` says why nothing would."""

    words: str
    values: dict[str, Any] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)
    batches: str = ""
    problem: str = ""


# ---- Which fields there are


def fields_of(hook: InHook) -> list[str]:
    """Name the fields for which a web-hook may take values.

    Raises:
        DomainError: its task module is broken.
    """
    if hook.does == Does.WORKFLOW:
        return sorted(hook.workflow.variables) if hook.workflow else []
    if hook.does == Does.TASK_MODULE:
        module = hook.task_module
        return _questions(definition_of(module)) if module else []
    return _open_in(hook.template) if hook.template else []


def _open_in(template: Template) -> list[str]:
    found = [name for name in PLAIN if name == "title" or name in template.ask]
    if "answers" in template.ask and template.task_module is not None:
        asked = _questions(definition_of(template.task_module))
        found += [f"answers.{name}" for name in asked]
    if "variables" in template.ask:
        found += [f"variables.{name}" for name in sorted(template.variables)]
    return found


def _questions(definition: Definition) -> list[str]:
    return [one.name for one in definition.fields if not one.is_secret]


def takes(hook: InHook, name: str) -> bool:
    """Say whether a value may go to a field: one that is there, or a new variable of a template that leaves them open."""
    if name in fields_of(hook):
        return True
    free = name.startswith("variables.") and hook.does == Does.TEMPLATE
    return bool(free and hook.template and "variables" in hook.template.ask)


# ---- Starting


def begin(actor: Any, hook: InHook, values: Values) -> Run | WorkflowRun:
    """Start what the web-hook is for.

    Raises:
        Forbidden, Conflict, DomainError: the user may not, or a value cannot be.
        ChangedError: somebody else changed what it starts.
    """
    made: Run | WorkflowRun
    if hook.does == Does.WORKFLOW:
        made = calls.enqueue_start(
            actor=actor, workflow=_there(hook.workflow), variables=_texts(values)
        )
    else:
        made = start(actor=actor, asked=asked_of(actor, hook, values))
        tasks.send(made.pk)
    ensure_vouched(hook)
    return made


def asked_of(actor: Any, hook: InHook, values: Values) -> Asked:
    """Say what would run on hosts.

    Raises:
        Forbidden, DomainError: as begin.
    """
    if hook.does == Does.TASK_MODULE:
        return Asked(_spec_of_module(hook, values))
    template = _there(hook.template)
    ensure_may_launch(actor, template)
    form = form_of_values(actor, template, nested(template, values))
    if not form.is_valid():
        raise form_error(form.errors)
    return Asked(form.spec(), template)


def _there(found: Any) -> Any:
    if found is None:
        raise DomainError(_("What this web-hook starts is gone."), code="gone")
    return found


def _spec_of_module(hook: InHook, values: Values) -> RunSpec:
    return RunSpec(
        kind=Work.Kind.TASK_MODULE,
        task_module=_there(hook.task_module),
        answers=dict(values),
        title=hook.name,
        host_ids=tuple(hook.hosts.values_list("pk", flat=True)),
        group_ids=tuple(hook.groups.values_list("pk", flat=True)),
        host_filter=hook.host_filter,
    )


def nested(template: Template, values: Values) -> dict[str, Any]:
    """Put values where a template's form has them; what is not given of answers and variables stays as it is."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        place, _dot, key = name.partition(".")
        if place in DEEP:
            found.setdefault(place, dict(getattr(template, place)))[key] = value
        elif place == "title":
            found[place] = as_text(value)
        elif place in PLAIN:
            found[place] = _names(name, value)
        else:
            words = _("A web-hook cannot set %(name)s.") % {"name": name[:60]}
            raise DomainError(words, fields={name: words})
    return found


def _names(field: str, value: Any) -> list[str]:
    """Give names of hosts or groups; digits that are no number of the portal are refused."""
    listed = value if isinstance(value, list) else [value]
    found = [as_text(each) or "" for each in listed]
    if any(len(name) > 253 or (name.isdecimal() and len(name) > 15) for name in found):
        words = _("This is no name.")
        raise DomainError(_("Some fields are not right."), fields={field: words})
    return found


def _texts(values: Values) -> dict[str, str]:
    """Give the variables of a workflow: texts, lists with commas between."""
    return {
        name: ",".join(as_text(each) or "" for each in value)
        if isinstance(value, list)
        else as_text(value) or ""
        for name, value in values.items()
    }


# ---- Only saying what would start


def outlook(user: Any, hook: InHook, values: Values) -> Outlook:
    """Say what a message with these values would start, and start nothing; judged for `user`."""
    found = Outlook(f"{hook.get_does_display()} {hook.starts}", dict(values))
    try:
        if hook.does == Does.WORKFLOW:
            check_variables(_texts(values))
            return found
        asked = asked_of(user, hook, values)
        _check_answers(user, asked.spec)
        seen = preview(user, asked.spec)
    except DomainError as error:
        found.problem = said(error)
        return found
    found.hosts = [row.host.hostname for row in seen.rows]
    found.batches = in_batches(asked, seen).batches
    found.problem = seen.problem or (
        "" if seen.rows else _("There is no host to run on.")
    )
    return found


def _check_answers(user: Any, spec: RunSpec) -> None:
    if spec.task_module is not None and spec.kind == Work.Kind.TASK_MODULE:
        definition = definition_of(spec.task_module)
        checked_answers(definition, user, spec.answers, spec.secret_answers)


def said(error: DomainError) -> str:
    """Put a refusal into a sentence, with what is wrong in each field."""
    fields = "; ".join(f"{name}: {words}" for name, words in error.fields.items())
    return " ".join(filter(None, (error.message, error.hint, fields)))[:2000]

"""Turns a task module with answers into what runs: a command, a script or a playbook with the values safely in it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError, Forbidden
from cmdb.membership import in_groups
from cmdb.models import Host, HostGroup
from tasks.models import Playbook, TaskModule, Work
from tasks.taskmodules import definitions as d
from tasks.taskmodules import placeholders
from tasks.taskmodules.forms import ModuleForm, as_json, form_of_answers
from tasks.taskmodules.parsing import DefinitionError, from_values

if TYPE_CHECKING:
    from tasks.services.launch import RunSpec

Kind = Work.Kind
MOST_GROUP_HOSTS = 1000


def resolve(spec: RunSpec, actor: Any) -> RunSpec:
    """Give what a task module with its answers comes to; any other work as it is.

    A command has its values as quoted words. A script has them in `answers` as texts: the SSH lane gives each to it as
    ADMINSET_<NAME>, secrets too, and `script_arguments` are words quoted for a shell. A playbook has them as `variables`,
    which the Ansible lane marks unsafe. `task_module` and `answers` stay, to be shown.

    Args:
        actor: who asks: the hosts, groups and other objects that answers name must be visible to him.

    Raises:
        Forbidden: the actor may not run task modules.
        DomainError: the module is off or broken, an answer is not right; `fields` says which.
    """
    if spec.kind != Kind.TASK_MODULE:
        return spec
    module = ensure_module_usable(spec.task_module, actor)
    definition = definition_of(module)
    form = checked_answers(definition, actor, spec.answers, spec.secret_answers)
    limit = definition.timeout_seconds
    plain = spec.timeout_seconds == settings.RUN_TIMEOUT_SECONDS
    options = dict(spec.options)
    if definition.become is not None:
        options["become"] = definition.become
    made = replace(
        spec,
        title=spec.title or d.said(definition.title),
        timeout_seconds=limit if limit and plain else spec.timeout_seconds,
        repeatable=spec.repeatable or definition.repeatable,
        batches=spec.batches or definition.batches,
        options=options,
    )
    return _with_action(made, definition, form)


def definition_of(module: TaskModule) -> d.Definition:
    """Give the definition of a module.

    Raises:
        DomainError: it cannot be used (any more): the sentence says why.
    """
    try:
        return from_values(module.definition)
    except DefinitionError as error:
        words = _("The definition of the task module %(name)s is broken.")
        raise DomainError(
            words % {"name": module.name}, str(error), code="module_broken"
        ) from error


def checked_answers(
    definition: d.Definition,
    actor: Any,
    answers: Mapping[str, Any],
    secrets: Mapping[str, str],
) -> ModuleForm:
    """Give the form with valid answers.

    Raises:
        DomainError: an answer is not right, or there is no such field; `fields` says which.
    """
    known = {name for one in definition.fields for name in one.gives}
    wrong = {
        str(name)[:100]: _("The module has no such field.")
        for name in {**answers, **secrets}
        if name not in known
    }
    form = form_of_answers(definition, actor, answers, secrets)
    if not form.is_valid():
        wrong |= {name: " ".join(map(str, said)) for name, said in form.errors.items()}
    if wrong:
        raise DomainError(
            _("Some answers are not right."),
            " ".join(f"{name}: {said}" for name, said in wrong.items())[:2000],
            code="wrong_answers",
            fields=wrong,
        )
    return form


def ensure_module_usable(module: TaskModule | None, actor: Any) -> TaskModule:
    """Give a task module that the actor may run now.

    Raises:
        Forbidden: the actor may not run task modules.
        DomainError: none is chosen, or it is off.
    """
    if module is None:
        words = _("Choose a task module.")
        raise DomainError(
            _("There is nothing to run."), words, fields={"task_module": words}
        )
    if not TaskModule.objects.visible_to(actor, "use").filter(pk=module.pk).exists():
        raise Forbidden(
            _("You may not run task modules."),
            _("Ask for the permission tasks.use_taskmodule."),
            code="module_refused",
        )
    if not module.enabled:
        raise DomainError(
            _("The task module %(name)s is off.") % {"name": module},
            _("Turn it on, or choose another one."),
            code="module_off",
        )
    return module


def _with_action(spec: RunSpec, definition: d.Definition, form: ModuleForm) -> RunSpec:
    values, secrets = values_of(form), form.secret_answers()
    action = definition.action
    if isinstance(action, d.Command):
        line = _line(action, definition, values)
        return replace(
            spec, kind=Kind.COMMAND, command=line, answers=values, secret_answers={}
        )
    if isinstance(action, d.Script):
        texts = {name: _as_variable(value) for name, value in values.items()}
        words = _filled(
            action.arguments, definition, {**values, **secrets}, ("script",)
        )
        return replace(
            spec,
            kind=Kind.SCRIPT,
            script=None,
            script_text=action.text,
            language=action.language,
            script_arguments=shlex.join(words),
            answers=texts,
            secret_answers=secrets,
        )
    given = {**spec.variables, **values}
    made = replace(spec, kind=Kind.PLAYBOOK, variables=given, answers=values)
    made = replace(made, secret_answers=secrets, playbook_text=action.text)
    return made if action.text else replace(made, playbook=of_library(action.library))


def of_library(name: str) -> Playbook:
    """Give the playbook of the library that a module names.

    Raises:
        DomainError: there is none.
    """
    found = Playbook.objects.filter(name=name).first()
    if found is None:
        raise DomainError(
            _("The library has no playbook %(name)s.") % {"name": name},
            _("Add it, or correct the task module."),
            code="module_broken",
        )
    return found


def values_of(form: ModuleForm) -> dict[str, Any]:
    """Give what a valid form comes to under all names that an action may use, without secrets."""
    found: dict[str, Any] = {}
    for one in form.definition.fields:
        value = form.cleaned_data.get(one.name)
        if one.is_secret:
            continue
        named = one.type in d.FURTHER and value is not None
        found[one.name] = str(value) if named else as_json(one, value)
        if one.type == d.HOST:
            found[f"{one.name}_address"] = str(value.address or "") if value else ""
        if one.type == d.GROUP:
            found[f"{one.name}_hosts"] = _members(value, form.user) if value else []
    return found


def _members(group: HostGroup, user: Any) -> list[str]:
    rows = in_groups(Host.objects.visible_to(user), [group.pk]).order_by("hostname")
    return list(rows.values_list("hostname", flat=True)[:MOST_GROUP_HOSTS])


# Values as words


def _line(
    action: d.Command, definition: d.Definition, values: Mapping[str, Any]
) -> str:
    if action.words:
        return shlex.join(_filled(action.words, definition, values, ()))
    places = placeholders.places_in_text(action.text)
    return placeholders.fill_text(action.text, _words(places, definition, values))


def _filled(
    words: tuple[str, ...],
    definition: d.Definition,
    values: Mapping[str, Any],
    before: tuple[str, ...],
) -> list[str]:
    places = placeholders.places_in_words((*before, *words))
    return placeholders.fill_words(words, _words(places, definition, values))


def _words(
    places: list[placeholders.Place],
    definition: d.Definition,
    values: Mapping[str, Any],
) -> dict[str, placeholders.Value]:
    """Give the words of each answer that a command asks for; one that would become an option is refused."""
    found: dict[str, placeholders.Value] = {}
    for place in places:
        field = definition.field_that_gives(place.name)
        if field is None:
            raise DomainError(
                _("The command asks for {%(name)s}, which no field gives.")
                % {"name": place.name}
            )
        made = _as_words(field, values[place.name])
        if place.leads and field.is_free and not field.dash:
            _refuse_dash(field, made)
        found[place.name] = made
    return found


def _refuse_dash(field: d.Field, made: placeholders.Value) -> None:
    for word in [made] if isinstance(made, str) else made:
        if word.startswith("-"):
            words = _(
                "This cannot begin with a dash: the command would take it for an option."
            )
            raise DomainError(
                _("Some answers are not right."),
                f"{d.said(field.label) or field.name}: {words}",
                code="wrong_answers",
                fields={field.name: words},
            )


def _as_words(field: d.Field, value: Any) -> placeholders.Value:
    if field.type == d.CHECKBOX:
        return field.on if value else field.off
    if isinstance(value, list):
        return [str(one) for one in value]
    return "" if value is None else str(value)


def _as_variable(value: Any) -> str:
    """Put an answer as a script finds it: one line for each of several values, true or false for a tick."""
    if isinstance(value, list):
        return "\n".join(map(str, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)

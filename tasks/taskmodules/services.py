"""Writes task modules: made, changed, copied, turned on and off, deleted; those of files only turned on and off."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit
from adminset.crud import services as crud
from adminset.errors import Conflict, DomainError, Forbidden
from adminset.querysets import everywhere
from tasks.models import TaskModule
from tasks.services.vouching import carries_own
from tasks.taskmodules.definitions import Definition, Words
from tasks.taskmodules.parsing import LONGEST_NAME, parse

MOST_COPIES = 100
NAME_LINE = re.compile(r"(?m)^name:.*$")


def fill(
    module: TaskModule, text: str, definition: Definition, data: dict[str, Any]
) -> None:
    """Put a definition into a row; who calls saves it."""
    module.name = definition.name
    module.title = _in_english(definition.title)
    module.category = _in_english(definition.category)[:64]
    module.description = _in_english(definition.description)
    module.text, module.definition = text, data
    module.sha256 = hashlib.sha256(text.encode()).hexdigest()


def _in_english(words: Words) -> str:
    """Give the text by which the trail and lists of other things call it, whoever reads them."""
    if isinstance(words, str):
        return words
    return words.get("en") or next(iter(words.values()), "")


@transaction.atomic
@carries_own
def save_module(*, actor: Any, form: Any) -> TaskModule:
    """Save a module that was made in the browser; of one from a file only whether it is on.

    Who writes modules writes what runs on hosts: like playbooks, that needs the permission everywhere.

    Raises:
        Forbidden: the permission holds on some objects only.
        Conflict: the definition belongs to a file.
    """
    adding = form.instance._state.adding
    _check_author(actor, "add" if adding else "change")
    if form.instance.file and "text" in form.changed_data:
        raise _belongs_to_file(form.instance)
    saved: TaskModule = crud.save(actor=actor, form=form)  # type: ignore[assignment]
    return saved


def _check_author(actor: Any, action: str) -> None:
    permission = f"tasks.{action}_taskmodule"
    if not everywhere(actor, permission):
        raise Forbidden(
            _("You may not write task modules."),
            _("Ask for the permission %(permission)s on everything.")
            % {"permission": permission},
            code="module_refused",
        )


def _belongs_to_file(module: TaskModule) -> Conflict:
    return Conflict(
        _("The module %(name)s belongs to the file %(file)s.")
        % {"name": module, "file": module.file},
        _("Change the file, or make a copy and change that."),
        code="belongs_to_file",
    )


def delete_module(*, actor: Any, instance: TaskModule) -> None:
    """Delete a module that was made in the browser, or one whose file is gone.

    Raises:
        Conflict: its file would bring it back; schedules, templates or workflows need it.
    """
    _check_author(actor, "delete")
    if instance.file and instance.sha256.strip("0"):
        raise Conflict(
            _("The module %(name)s belongs to the file %(file)s.")
            % {"name": instance, "file": instance.file},
            _("Turn it off instead."),
            code="belongs_to_file",
        )
    crud.delete(actor=actor, instance=instance)


@transaction.atomic
def copy_module(*, actor: Any, module: TaskModule) -> TaskModule:
    """Make a module of one's own of another, by the name `<name>-copy`.

    Raises:
        Forbidden: the actor may not write modules. DomainError: there are too many copies.
    """
    _check_author(actor, "add")
    text = _renamed(module, _free_name(module.name))
    made = TaskModule()
    fill(made, text, *parse(text))
    made.save()
    changes = audit.changed({}, audit.snapshot(made))
    audit.record(actor, "taskmodule.create", made, changes=changes)
    return made


def _free_name(name: str) -> str:
    for number in range(1, MOST_COPIES):
        ending = "-copy" if number == 1 else f"-copy-{number}"
        wanted = f"{name[: LONGEST_NAME - len(ending)].rstrip('-')}{ending}"
        if not TaskModule.objects.filter(name=wanted).exists():
            return wanted
    raise DomainError(
        _("There are too many copies of %(name)s.") % {"name": name},
        _("Delete some of them."),
    )


def _renamed(module: TaskModule, name: str) -> str:
    """Give the text with another name; as JSON, which is YAML too, where the name does not stand on a line of its own."""
    text, changed = NAME_LINE.subn(f"name: {name}", module.text, count=1)
    if changed:
        return text
    return json.dumps({**module.definition, "name": name}, ensure_ascii=False, indent=2)


@transaction.atomic
def switch_module(*, actor: Any, module: TaskModule, enabled: bool) -> None:
    """Turn a module on or off: what is off runs nowhere.

    Raises:
        Forbidden: the actor may not change modules.
    """
    _check_author(actor, "change")
    if module.enabled == enabled:
        return
    module.enabled = enabled
    module.save()
    changes = [audit.change_of("enabled", not enabled, enabled)]
    audit.record(actor, "taskmodule.update", module, changes=changes)

"""Takes the action of a module out of plain values, and looks whether each answer can stand where it is put."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from tasks.checks import check_playbook
from tasks.taskmodules import definitions as d
from tasks.taskmodules import placeholders
from tasks.taskmodules.findings import Findings
from tasks.taskmodules.taken_names import OF_PLAYS
from tasks.work_models import Work

ACTIONS = ("command", "script", "playbook")
Action = d.Command | d.Script | d.Playbook
Reader = Callable[[Any, tuple[d.Field, ...], Findings], Action]
LONGEST_COMMAND, LONGEST_SCRIPT = 16 * 1024, 128 * 1024


def read_action(
    data: Mapping[str, Any], fields: tuple[d.Field, ...], findings: Findings
) -> Action:
    """Read the one action."""
    chosen = [key for key in ACTIONS if key in data]
    if len(chosen) != 1:
        words = _("A module has exactly one of `command:`, `script:` and `playbook:`.")
        findings.add((chosen[1],) if chosen else (), words)
        return d.Command()
    key = chosen[0]
    readers: dict[str, Reader] = {
        "command": _command,
        "script": _script,
        "playbook": _playbook,
    }
    return readers[key](data[key], fields, findings)


def _command(given: Any, fields: tuple[d.Field, ...], findings: Findings) -> d.Command:
    if isinstance(given, list):
        texts = [findings.text(one, ("command", at)) for at, one in enumerate(given)]
        made = d.Command(words=tuple(texts))
    else:
        made = d.Command(text=findings.text(given, ("command",)).strip())
    if not made.text and not any(made.words):
        findings.add(("command",), _("The command is empty."))
    if len(made.text) + sum(map(len, made.words)) > LONGEST_COMMAND:
        findings.add(
            ("command",), _("The command is longer than 16 KiB: write a script.")
        )
    try:
        places = (
            placeholders.places_in_words(made.words)
            if made.words
            else placeholders.places_in_text(made.text)
        )
    except placeholders.PlaceholderError as error:
        findings.add(("command",), str(error))
        return made
    _check_places(places, fields, ("command",), findings)
    _check_use({place.name for place in places}, fields, findings)
    return made


def _check_places(
    places: list[placeholders.Place],
    fields: tuple[d.Field, ...],
    path: tuple[str | int, ...],
    findings: Findings,
) -> None:
    known = {name: field for field in fields for name in field.gives}
    for place in places:
        field = known.get(place.name)
        if field is None:
            words = _(
                "There is no field %(name)s. Braces of the command itself are written twice: {{%(name)s}}."
            )
            findings.add(path, words % {"name": place.name})
        elif field.is_secret:
            words = _(
                "The secret %(name)s would be seen in the list of processes. Write a script: it finds %(variable)s."
            )
            values = {"name": place.name, "variable": f"${d.variable_of(place.name)}"}
            findings.add(path, words % values)
        elif field.many(place.name) and not place.alone:
            words = _("{%(name)s} stands for several words: it must stand alone.")
            findings.add(path, words % {"name": place.name})


def _check_use(used: set[str], fields: tuple[d.Field, ...], findings: Findings) -> None:
    """Want every field to be of use: in the command, or for another field."""
    for at, field in enumerate(fields):
        asked = any(
            field.name in other.shown_when or field.name == other.choices.when
            for other in fields
        )
        if not asked and not used & set(field.gives):
            findings.of_field = field.name
            words = _("The command does not use {%(name)s}.")
            findings.add(("fields", at, "name"), words % {"name": field.name})
            findings.of_field = ""


def _script(given: Any, fields: tuple[d.Field, ...], findings: Findings) -> d.Script:
    pair = given if isinstance(given, dict) else {"text": given}
    findings.strict(pair, ("language", "text", "arguments"), ("script",))
    text = findings.text(pair.get("text"), ("script",))
    language = pair.get("language", "sh")
    if language not in Work.Language.values:
        words = _("`language` is one of %(languages)s.")
        listed = ", ".join(Work.Language.values)
        findings.add(("script", "language"), words % {"languages": listed})
        language = "sh"
    if not text.strip() or len(text) > LONGEST_SCRIPT:
        findings.add(("script",), _("A script has a text of at most 128 KiB."))
    arguments = _arguments(pair.get("arguments"), fields, findings)
    _refuse_braces(text if language == "sh" else "", fields, findings)
    return d.Script(text, str(language), arguments)


def _arguments(
    given: Any, fields: tuple[d.Field, ...], findings: Findings
) -> tuple[str, ...]:
    path = ("script", "arguments")
    if given is None:
        return ()
    if not isinstance(given, list):
        findings.add(path, _("`arguments` is a list of words."))
        return ()
    words = tuple(findings.text(one, path) for one in given)
    # The script itself stands before them.
    places = placeholders.places_in_words(("script", *words))
    _check_places(places, fields, path, findings)
    return words


def _refuse_braces(text: str, fields: tuple[d.Field, ...], findings: Findings) -> None:
    """A value is never put into a script's text: whoever writes {name} there expects it."""
    for field in fields:
        if re.search(rf"(?<![$\{{]){{{field.name}}}", text):
            words = _(
                "A script finds the answer in %(variable)s, {%(name)s} means nothing there."
            )
            values = {"variable": f"${d.variable_of(field.name)}", "name": field.name}
            findings.add(("script",), words % values)


def _refuse_words_of_plays(fields: tuple[d.Field, ...], findings: Findings) -> None:
    for at, field in enumerate(fields):
        if OF_PLAYS & set(field.gives):
            words = _("%(name)s means something else in a play. Choose another name.")
            findings.add(("fields", at, "name"), words % {"name": field.name})


def _playbook(
    given: Any, fields: tuple[d.Field, ...], findings: Findings
) -> d.Playbook:
    _refuse_words_of_plays(fields, findings)
    if isinstance(given, dict):
        findings.strict(given, ("library",), ("playbook",))
        return d.Playbook(library=findings.text(given.get("library"), ("playbook",)))
    text = findings.text(given, ("playbook",))
    try:
        check_playbook(text)
    except ValidationError as error:
        findings.add(("playbook",), " ".join(error.messages))
    return d.Playbook(text=text)

"""Takes the fields of a definition out of plain values; each thing that is wrong is told with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from tasks.taskmodules import definitions as d
from tasks.taskmodules.choice_parsing import read_choices, read_shown_when
from tasks.taskmodules.findings import Findings, Path
from tasks.taskmodules.taken_names import TAKEN, TAKEN_BEGINNINGS

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
COMMON = ("name", "type", "label", "help", "default", "required", "shown_when")
LONGEST_PATTERN = 200
MOST_FIELDS = 40


def read_fields(given: Any, findings: Findings) -> tuple[d.Field, ...]:
    """Read the list of fields."""
    path: Path = ("fields",)
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_FIELDS:
        findings.add(
            path,
            _("`fields` is a list of at most %(most)s fields.") % {"most": MOST_FIELDS},
        )
        return ()
    found: list[d.Field] = []
    for at, one in enumerate(given):
        field = _read_field(one, (*path, at), found, findings)
        if field is not None:
            found.append(field)
    return tuple(found)


def _read_field(
    given: Any, path: Path, before: list[d.Field], findings: Findings
) -> d.Field | None:
    if not isinstance(given, dict):
        findings.add(path, _("A field has at least a `name:`."))
        return None
    name = given.get("name")
    findings.of_field = str(name)[:40] if isinstance(name, str) else ""
    kind = given.get("type", d.TEXT)
    if kind not in d.TYPES:
        words = _("`type` is one of %(types)s.") % {"types": ", ".join(d.TYPES)}
        findings.add((*path, "type"), words)
        kind = d.TEXT
    findings.strict(given, (*COMMON, *d.OWN_KEYS[kind]), path)
    values = _values(given, str(kind), path, before, findings)
    if _name_is_good(name, path, before, str(kind), findings):
        field = d.Field(name=str(name), type=str(kind), **values)
        _check_default(field, path, findings)
        findings.of_field = ""
        return field
    findings.of_field = ""
    return None


def _name_is_good(
    name: Any, path: Path, before: list[d.Field], kind: str, findings: Findings
) -> bool:
    at = (*path, "name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        findings.add(
            at,
            _(
                "The name of a field has small letters, digits and _, at most 40 of them."
            ),
        )
        return False
    if name in TAKEN or name.startswith(TAKEN_BEGINNINGS):
        findings.add(
            at,
            _("%(name)s means something else already. Choose another name.")
            % {"name": name},
        )
        return False
    gives = {*d.Field(name, kind).gives}
    if gives & {each for one in before for each in one.gives}:
        findings.add(at, _("There are two fields of this name."))
        return False
    return True


def _values(
    given: Mapping[str, Any],
    kind: str,
    path: Path,
    before: list[d.Field],
    findings: Findings,
) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key in ("label", "help", "pattern_help"):
        made[key] = findings.words(given.get(key), (*path, key))
    asked = kind != d.CHECKBOX
    made["required"] = findings.flag(given.get("required"), asked, (*path, "required"))
    made["dash"] = findings.flag(given.get("dash"), False, (*path, "dash"))
    made["default"] = given.get("default")
    for key, number in (("decimals", 0), ("rows", 4)):
        made[key] = findings.number(given.get(key), number, (*path, key), 0, 40)
    made["min"], made["max"] = _limits(given, kind, path, findings)
    made["pattern"] = _pattern(given.get("pattern"), (*path, "pattern"), findings)
    for key, standard in (("on", "yes"), ("off", "no")):
        made[key] = _ticked(given.get(key, standard), (*path, key), findings)
    if kind in d.CHOOSING:
        made["choices"] = read_choices(given.get("choices"), path, before, findings)
    shown = given.get("shown_when")
    made["shown_when"] = read_shown_when(shown, (*path, "shown_when"), before, findings)
    return made


def _limits(
    given: Mapping[str, Any], kind: str, path: Path, findings: Findings
) -> tuple[Any, Any]:
    limits: list[Any] = []
    for key in ("min", "max"):
        value: Any = given.get(key)
        try:
            if value is not None and kind == d.DATE:
                value = date.fromisoformat(str(value))
            elif value is not None and (
                isinstance(value, bool) or not isinstance(value, int | float)
            ):
                raise ValueError(value)
        except ValueError:
            findings.add(
                (*path, key),
                _("`%(key)s` is a number, of a date a day such as 2026-01-31.")
                % {"key": key},
            )
            value = None
        limits.append(value)
    low, high = limits
    if low is not None and high is not None and low > high:
        findings.add((*path, "min"), _("`min` is greater than `max`."))
    return low, high


def _pattern(given: Any, path: Path, findings: Findings) -> str:
    if given is None:
        return ""
    try:
        if not isinstance(given, str) or len(given) > LONGEST_PATTERN:
            raise re.error("too long")
        re.compile(given)
    except (re.error, OverflowError, RecursionError):
        findings.add(
            path,
            _("`pattern` is a regular expression of at most %(most)s characters.")
            % {"most": LONGEST_PATTERN},
        )
        return ""
    return given


def _ticked(given: Any, path: Path, findings: Findings) -> str | tuple[str, ...]:
    if isinstance(given, list):
        return tuple(findings.text(one, path) for one in given)
    return findings.text(given, path)


def _check_default(field: d.Field, path: Path, findings: Findings) -> None:
    """Want a default that the form itself would take, as far as that is known here."""
    at, value = (*path, "default"), field.default
    if value is None:
        return
    known = {one.value for one in field.choices.every()}
    listed = value if isinstance(value, list) else [value]
    wrong = {
        d.NUMBER: isinstance(value, bool) or not isinstance(value, int | float),
        d.CHECKBOX: not isinstance(value, bool),
        d.SECRET: True,
        d.HOST: True,
        d.GROUP: True,
        d.MULTI_SELECT: not isinstance(value, list)
        or bool(known and {*map(str, listed)} - known),
        d.SELECT: isinstance(value, list) or bool(known and str(value) not in known),
        d.RADIO: isinstance(value, list) or bool(known and str(value) not in known),
    }.get(field.type, isinstance(value, list | dict))
    if wrong:
        findings.add(
            at, _("A %(type)s field cannot have this default.") % {"type": field.type}
        )

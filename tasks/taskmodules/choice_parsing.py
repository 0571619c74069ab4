"""Takes the choices of a field, and when it is shown, out of plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from tasks.taskmodules import definitions as d
from tasks.taskmodules.findings import Findings, Path
from tasks.taskmodules.sources import SOURCES

MOST_CHOICES = 500


def read_choices(
    given: Any, path: Path, before: list[d.Field], findings: Findings
) -> d.Choices:
    """Read `choices`: a list, a source, or other choices for each value of an earlier field."""
    path = (*path, "choices")
    if isinstance(given, list) and given:
        return d.Choices(fixed=_listed(given, path, findings))
    if isinstance(given, dict) and set(given) == {"source"}:
        if given["source"] in SOURCES:
            return d.Choices(source=given["source"])
        words = _("`source` is one of %(sources)s.") % {"sources": ", ".join(SOURCES)}
        findings.add((*path, "source"), words)
        return d.Choices(source=next(iter(SOURCES)))
    if isinstance(given, dict) and set(given) == {"when", "is"}:
        return _cases(given, path, before, findings)
    words = _("`choices` is a list of values, or `source:`, or `when:` with `is:`.")
    findings.add(path, words)
    return d.Choices()


def _listed(given: Any, path: Path, findings: Findings) -> tuple[d.Choice, ...]:
    if not isinstance(given, list) or len(given) > MOST_CHOICES:
        words = _("A list of at most %(most)s values stands here.")
        findings.add(path, words % {"most": MOST_CHOICES})
        return ()
    found: dict[str, d.Choice] = {}
    for at, one in enumerate(given):
        pair = one if isinstance(one, dict) else {"value": one}
        findings.strict(pair, ("value", "label"), (*path, at))
        value = findings.text(pair.get("value"), (*path, at))
        if value in found or not value:
            findings.add((*path, at), _("Each choice has a value of its own."))
        label = findings.words(pair.get("label"), (*path, at, "label"))
        found[value] = d.Choice(value, label)
    return tuple(found.values())


def _cases(
    given: Mapping[str, Any], path: Path, before: list[d.Field], findings: Findings
) -> d.Choices:
    other = _earlier(given["when"], (*path, "when"), before, findings)
    cases = given["is"]
    if not isinstance(cases, dict) or not cases:
        findings.add((*path, "is"), _("`is` says the choices for each value."))
        return d.Choices()
    made = {
        value: _listed(some, (*path, "is", value), findings)
        for value, some in cases.items()
    }
    _check_cases(other, made, (*path, "is"), findings)
    return d.Choices(when=other.name if other else "", cases=made)


def _earlier(
    name: Any, path: Path, before: Iterable[d.Field], findings: Findings
) -> d.Field | None:
    found = next((one for one in before if one.name == name), None)
    if found is None or found.type not in (d.SELECT, d.RADIO, d.CHECKBOX):
        findings.add(
            path,
            _(
                "This names a select, a radio or a checkbox that stands before this field."
            ),
        )
        return None
    return found


def _check_cases(
    other: d.Field | None, values: Iterable[str], path: Path, findings: Findings
) -> None:
    """Want values that the other field can have."""
    if other is None or other.choices.source:
        return
    known = {one.value for one in other.choices.every()}
    known |= {"true", "false"} if other.type == d.CHECKBOX else set()
    for value in values:
        if value not in known:
            findings.add(
                (*path, value),
                _("%(other)s can never be %(value)s.")
                % {"other": other.name, "value": value[:50]},
            )


def read_shown_when(
    given: Any, path: Path, before: list[d.Field], findings: Findings
) -> dict[str, tuple[str, ...]]:
    """Read under which answers of earlier fields this one is asked."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        findings.add(
            path, _("`shown_when` says a field and its values: `{kind: [a, b]}`.")
        )
        return {}
    made = {}
    for name, values in given.items():
        other = _earlier(name, (*path, name), before, findings)
        listed = values if isinstance(values, list) else [values]
        made[name] = tuple(findings.text(one, (*path, name)) for one in listed)
        for value in made[name]:
            _check_cases(other, [value], (*path, name), findings)
    return made

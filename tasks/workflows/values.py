"""Values that steps hand on: read from a run, filled into what comes later as plain text and never as a template language."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from tasks import output
from tasks.models import Run, RunHost
from tasks.sites.receiving import receive

# `${steps.backup.path}`, `${vars.release}`; all else stays as it is.
REFERENCE = re.compile(
    r"\$\{(?:steps\.(?P<step>[a-z][a-z0-9_]{0,39})|vars)\.(?P<name>[a-z_][a-z0-9_]{0,63})\}"
)
# A line of output that sets a value.
SET_LINE = re.compile(r"ADMINSET_SET (?P<name>[a-z_][a-z0-9_]{0,63})=(?P<value>.*)")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
VARIABLE = re.compile(r"[a-z_][a-z0-9_]{0,63}")
# What every step with work gives; a line of output cannot set these.
GIVEN = (
    "status",
    "hosts",
    "ok",
    "failed",
    "ok_hosts",
    "failed_hosts",
    "exit_codes",
    "run",
)
READ_BYTES = 256 * 1024

Values = Mapping[str, Any]


def references(value: Any) -> Iterator[tuple[str, str]]:
    """Give (key of a step, "" for a variable; name) of all that a text, list or mapping refers to."""
    if isinstance(value, str):
        for match in REFERENCE.finditer(value):
            yield match["step"] or "", match["name"]
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from references(each)


def fill(value: Any, steps: Mapping[str, Values], variables: Values) -> Any:
    """Put values in place of what refers to them, in texts, lists and mappings (of these: not in the keys).

    One pass: what a value itself looks like is not looked at again.

    Raises:
        DomainError: a value that nobody set; names it.
    """

    def found(match: re.Match[str]) -> str:
        known = steps.get(match["step"], {}) if match["step"] else variables
        if match["name"] not in known:
            raise DomainError(
                _("Nothing set the value %(name)s.") % {"name": match.group()},
                _("See that the earlier step ran and printed ADMINSET_SET name=value."),
                code="value_missing",
            )
        return as_text(known[match["name"]])

    if isinstance(value, str):
        return REFERENCE.sub(found, value)
    if isinstance(value, Mapping):
        return {key: fill(each, steps, variables) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [fill(each, steps, variables) for each in value]
    return value


def fill_arguments(text: str, steps: Mapping[str, Values], variables: Values) -> str:
    """Fill the arguments of a script: each value stays within its own word, whatever stands in it.

    Raises:
        DomainError: as fill; also quotes that are not closed.
    """
    if not any(references(text)):
        return text
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise DomainError(
            _("The arguments of the script cannot be split into words."),
            _("Close each quotation mark."),
        ) from error
    return shlex.join(fill(words, steps, variables))


def as_text(value: Any) -> str:
    """Write a value as text: a list with commas between."""
    if isinstance(value, list):
        return ",".join(str(each) for each in value)
    return str(value)


def check_variables(given: Any) -> dict[str, str]:
    """Give variables as names and texts.

    Raises:
        DomainError: no mapping of names to plain texts, or too much of it.
    """
    if not isinstance(given, Mapping):
        raise DomainError(_("Variables are names with texts."))
    if len(given) > settings.WORKFLOW_MAX_VALUES:
        raise DomainError(
            _("At most %(most)s variables.") % {"most": settings.WORKFLOW_MAX_VALUES}
        )
    for name, value in given.items():
        plain = isinstance(value, str | int | float) and not isinstance(value, bool)
        if not VARIABLE.fullmatch(str(name)) or not plain:
            raise DomainError(
                _("%(name)s is no variable.") % {"name": str(name)[:64]},
                _(
                    "Names have small letters, digits and _; values are texts or numbers."
                ),
            )
        if len(str(value)) > settings.WORKFLOW_VALUE_CHARACTERS:
            raise DomainError(
                _("The value of %(name)s is longer than %(most)s characters.")
                % {"name": name, "most": settings.WORKFLOW_VALUE_CHARACTERS}
            )
    return {str(name): str(value) for name, value in given.items()}


def values_of(run: Run) -> dict[str, Any]:
    """Read what a run that has ended hands on: how its hosts ended, and what their output set.

    Where hosts set the same name, the first host by name counts.
    """
    receive(run.pk)
    rows = list(run.hosts.meant().order_by("host_name", "pk"))
    good = [row for row in rows if row.status == RunHost.Status.OK]
    bad = [row for row in rows if row.status != RunHost.Status.OK]
    codes = sorted({row.exit_code for row in rows if row.exit_code is not None})
    return _printed(run, rows) | {
        "status": str(run.status),
        "run": run.pk,
        "hosts": len(rows),
        "ok": len(good),
        "failed": len(bad),
        "ok_hosts": _names(good),
        "failed_hosts": _names(bad),
        "exit_codes": codes[:100],
    }


def _names(rows: list[RunHost]) -> list[str]:
    return [row.host_name for row in rows[: settings.RUN_MAX_TARGETS]]


def _printed(run: Run, rows: list[RunHost]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows[: settings.WORKFLOW_VALUE_HOSTS]:
        for name, value in _set_by(run.pk, row.pk).items():
            if name not in found and len(found) < settings.WORKFLOW_MAX_VALUES:
                found[name] = value
    return found


def _set_by(run_id: int, host_id: int) -> dict[str, str]:
    """Read the lines of one host's output that set values; the last line of a name counts."""
    begin = max(output.size(run_id, host_id) - READ_BYTES, 0)
    text = output.read(run_id, host_id, begin, most=READ_BYTES, last=True).text
    found = {}
    for line in text.splitlines():
        match = SET_LINE.fullmatch(line)
        if match and match["name"] not in GIVEN:
            value = CONTROL.sub("", match["value"])
            found[match["name"]] = value[: settings.WORKFLOW_VALUE_CHARACTERS]
    return found

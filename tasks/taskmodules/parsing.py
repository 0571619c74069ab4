"""Makes a definition out of YAML or plain values; all that is wrong is told at once, each with line and field."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from tasks.taskmodules import definitions as d
from tasks.taskmodules.action_parsing import ACTIONS, read_action
from tasks.taskmodules.field_parsing import read_fields
from tasks.taskmodules.findings import Finding, Findings
from tasks.taskmodules.yaml_reading import Lines, NotReadableError, read

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
BATCHES = re.compile(r"[1-9][0-9]{0,5}%?( [1-9][0-9]{0,5}%?)*")
KEYS = (
    *("name", "title", "category", "description", "fields"),
    *ACTIONS,
    *("become", "timeout_seconds", "repeatable", "dangerous", "batches"),
)
LONGEST_NAME, LONGEST_TITLE = 64, 100
MOST_SECONDS = 86400


class DefinitionError(ValueError):
    """A definition that cannot be used; `findings` says all that is wrong with it."""

    def __init__(self, findings: list[Finding], file: str = "") -> None:
        where = f"{file}: " if file else ""
        super().__init__(" ".join(f"{where}{one}" for one in findings))
        self.findings = findings
        self.file = file


def parse(text: str, file: str = "") -> tuple[d.Definition, dict[str, Any]]:
    """Read a definition's YAML; give it and its plain values.

    Args:
        file: name of the file for the sentences.

    Raises:
        DefinitionError: it is not YAML or no definition.
    """
    try:
        data, lines = read(text)
    except NotReadableError as error:
        finding = Finding((), str(error), line=error.line)
        raise DefinitionError([finding], file) from error
    findings = Findings()
    made = _read(data, findings)
    if findings.all or made is None:
        raise DefinitionError([_placed(one, lines) for one in findings.all], file)
    return made, data


def from_values(data: Any) -> d.Definition:
    """Make a definition of the plain values that a row keeps.

    Raises:
        DefinitionError: it is none.
    """
    findings = Findings()
    made = _read(data, findings)
    if findings.all or made is None:
        raise DefinitionError(findings.all)
    return made


def _placed(finding: Finding, lines: Lines) -> Finding:
    """Find the line: that of the thing itself, else of the nearest thing around it."""
    path = finding.path
    while path and path not in lines:
        path = path[:-1]
    return replace(finding, line=lines.get(path, 1))


def _read(data: Any, findings: Findings) -> d.Definition | None:
    if not isinstance(data, dict):
        words = _(
            "A module has `name:`, `title:` and `command:`, `script:` or `playbook:`."
        )
        findings.add((), words)
        return None
    findings.strict(data, KEYS, ())
    fields = read_fields(data.get("fields"), findings)
    action = read_action(data, fields, findings)
    return d.Definition(
        name=_name(data.get("name"), findings),
        title=_title(data.get("title"), findings),
        category=_title(data.get("category", ""), findings, "category"),
        description=findings.words(data.get("description"), ("description",)),
        fields=fields,
        action=action,
        become=_become(data.get("become"), action, findings),
        timeout_seconds=findings.number(
            data.get("timeout_seconds"), None, ("timeout_seconds",), 1, MOST_SECONDS
        ),
        repeatable=findings.flag(data.get("repeatable"), False, ("repeatable",)),
        dangerous=findings.flag(data.get("dangerous"), False, ("dangerous",)),
        batches=_batches(data.get("batches"), findings),
    )


def _name(given: Any, findings: Findings) -> str:
    if (
        not isinstance(given, str)
        or not NAME.fullmatch(given)
        or len(given) > LONGEST_NAME
    ):
        findings.add(
            ("name",),
            _(
                "`name` is a word of small letters, digits and single dashes, such as log-tail."
            ),
        )
        return ""
    return given


def _title(given: Any, findings: Findings, key: str = "title") -> d.Words:
    title = findings.words(given, (key,))
    texts = [title] if isinstance(title, str) else list(title.values())
    if key == "title" and not all(text.strip() for text in texts):
        findings.add((key,), _("`title` says in a few words what it does."))
    if any(len(text) > LONGEST_TITLE for text in texts):
        words = _("This is longer than %(most)s characters.")
        findings.add((key,), words % {"most": LONGEST_TITLE})
    return title


def _batches(given: Any, findings: Findings) -> str:
    text = " ".join(findings.text("" if given is None else given, ("batches",)).split())
    if text and not BATCHES.fullmatch(text):
        findings.add(("batches",), _("Write batches as `1 10% 50%`."))
        return ""
    return text[:100]


def _become(given: Any, action: Any, findings: Findings) -> bool | None:
    if given is None:
        return None
    if isinstance(action, d.Playbook):
        findings.add(("become",), _("A playbook says `become:` itself."))
        return None
    return findings.flag(given, True, ("become",))

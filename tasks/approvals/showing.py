"""What an approver reads of some work: by headings, each value on a line of its own, no secret."""

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from tasks.models import Run, Version, Work
from tasks.services.specs import RunSpec

Kind = Work.Kind


def parts_of(spec: RunSpec) -> list[tuple[str, str]]:
    """Give what will run, by headings; of secrets the names only.

    Args:
        spec: frozen: with the texts and versions of this moment in it.
    """
    item = spec.version or spec.script or spec.playbook or spec.role
    texts = [
        (_("Task module"), str(spec.task_module or "")),
        (_("From the library"), str(item or "")),
        (_("Command"), spec.command),
        (_("Module"), f"{spec.module} {spec.arguments}".strip()),
        (_("Script"), spec.script_text),
        (_("Arguments of the script"), spec.script_arguments),
        *_texts_of(spec),
        (_("Roles of the library"), _roles(spec)),
        (_("Files"), "\n".join(_file_line(one) for one in spec.distribution)),
        (_("Answers"), lines_of(spec.answers)),
        (_("Variables"), lines_of(spec.variables)),
        (_("Secret answers"), _secret_lines(spec.secret_answers)),
        (_("Options"), lines_of(spec.options)),
        (_("How it runs"), lines_of(_control(spec))),
    ]
    return [(title, text) for title, text in texts if text]


def lines_of(values: Mapping[str, Any]) -> str:
    """Write names and values, one a line: a text stands in quotes, so that none can look like a line of its own."""
    return "\n".join(
        f"{_plain(name)} = {json.dumps(value, ensure_ascii=False, default=str)}"
        for name, value in sorted(values.items())
    )


def _plain(name: Any) -> str:
    text = str(name)
    return text if text.isprintable() else json.dumps(text)


def _texts_of(spec: RunSpec) -> list[tuple[str, str]]:
    """Give the text of a playbook, or each file of a role under its path."""
    if spec.kind != Kind.ROLE:
        return [(_("Playbook"), spec.playbook_text)]
    files = json.loads(spec.playbook_text or "{}")
    title = _("The role's file %(path)s")
    return [(title % {"path": path}, files[path] or "-") for path in sorted(files)]


def _roles(spec: RunSpec) -> str:
    versions = Version.objects.filter(pk__in=spec.role_versions.values())
    return "\n".join(sorted(map(str, versions.select_related("role"))))


def _file_line(one: Mapping[str, Any]) -> str:
    version = Version.objects.filter(pk=one.get("version") or 0).first()
    further = {
        name: one[name]
        for name in ("owner", "group", "mode", "backup")
        if one.get(name)
    }
    path = json.dumps(one.get("path", ""), ensure_ascii=False)
    words = lines_of(further).replace("\n", ", ")
    return f"{version or one.get('file')} -> {path} {words}".strip()


def _secret_lines(names: Mapping[str, str]) -> str:
    words = _("%(name)s is set, and not shown.")
    return "\n".join(words % {"name": _plain(name)} for name in sorted(names))


def _control(spec: RunSpec) -> dict[str, Any]:
    """Give how it is kept in hand, in words: batches, pauses, time-outs."""
    found = {}
    for name in Work.CONTROL:
        field: Any = Run._meta.get_field(name)
        value = getattr(spec, name)
        if value:
            found[str(field.verbose_name)] = dict(field.flatchoices or ()).get(
                value, value
            )
    return found

"""What a run is made of, as it is when it is asked for: texts, versions, and the key of what is the same."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from cmdb.models import Host
from tasks.ansible_options import without_limit
from tasks.library.choosing import (
    content_of,
    ensure_all_runnable,
    ensure_runnable,
    newest_runnable,
    role_versions,
    role_versions_of,
)
from tasks.library_models import LibraryItem
from tasks.models import StoredFile, Version, Work
from tasks.services.specs import RunSpec

Kind = Work.Kind
# What each kind of work keeps of what was asked for; the rest is forgotten.
KEPT: dict[str, tuple[str, ...]] = {
    Kind.COMMAND: ("command",),
    Kind.SCRIPT: ("script", "script_text", "script_arguments", "language"),
    Kind.MODULE: ("module", "arguments"),
    Kind.PLAYBOOK: ("playbook", "playbook_text"),
    Kind.ROLE: ("role", "playbook_text"),
    Kind.FILES: ("distribution",),
    Kind.TASK_MODULE: (),
}
OF_ONE_KIND = frozenset(name for names in KEPT.values() for name in names)


def of_its_kind(spec: RunSpec) -> RunSpec:
    """Give a spec without what belongs to other kinds of work."""
    plain = RunSpec()
    others = OF_ONE_KIND - set(KEPT[Kind(spec.kind)])
    return replace(spec, **{name: getattr(plain, name) for name in others})


def freeze(spec: RunSpec) -> RunSpec:
    """Give a spec with the texts and versions of this moment in it; those that it brings along stay.

    Raises:
        DomainError: nothing of an item may run: it waits for approval, or is retired.
    """
    if spec.version is not None:
        ensure_runnable(spec.version)
    if spec.kind == Kind.SCRIPT and spec.script and not spec.script_text:
        version = spec.version or newest_runnable(spec.script)
        text = str(content_of(version))
        return replace(
            spec, version=version, script_text=text, language=spec.script.language
        )
    if spec.kind == Kind.FILES:
        return replace(
            spec, distribution=[_frozen_file(one) for one in spec.distribution]
        )
    if spec.kind in {Kind.PLAYBOOK, Kind.ROLE}:
        return _with_roles(_with_text(spec))
    return spec


def _with_text(spec: RunSpec) -> RunSpec:
    item = spec.playbook if spec.kind == Kind.PLAYBOOK else spec.role
    if spec.playbook_text or item is None:
        return spec
    version = spec.version or _newest(item)
    if version is None:
        return replace(spec, playbook_text=getattr(item, "content", ""))
    content: Any = content_of(version)
    text = content if isinstance(content, str) else json.dumps(content)
    return replace(spec, version=version, playbook_text=text)


def _newest(item: LibraryItem) -> Version | None:
    """Give the version that runs; None for a playbook from before there were versions."""
    old = getattr(item, "content", "") and not item.needs_approval
    if old and not item.versions.exists():  # type: ignore[attr-defined]
        return None
    return newest_runnable(item)


def _with_roles(spec: RunSpec) -> RunSpec:
    """Note the versions of the library's roles that it needs: {name: id of the Version}."""
    if spec.role_versions:
        ensure_all_runnable(spec.role_versions.values())
        return spec
    if spec.kind == Kind.ROLE:
        found = role_versions_of(json.loads(spec.playbook_text or "{}"))
    else:
        found = role_versions(spec.playbook_text)
    roles = {name: version.pk for name, version in found.items()}
    return replace(spec, role_versions=roles)


def _frozen_file(one: dict[str, Any]) -> dict[str, Any]:
    if one.get("version"):
        ensure_all_runnable([one["version"]])
        return one
    item = StoredFile.objects.get(pk=one["file"])
    version = newest_runnable(item)
    return {**one, "version": version.pk, "name": item.name}


@dataclass(frozen=True)
class Sameness:
    """What makes two runs the same: what runs, with which variables, on which hosts. Secrets are left out of it."""

    spec: RunSpec
    hosts: Iterable[Host]

    def key(self) -> str:
        """Give the SHA-256 of it."""
        spec = self.spec
        told = {
            "kind": spec.kind,
            "version": spec.version.pk if spec.version else None,
            "variables": spec.variables,
            "answers": spec.answers,
            # What a limit does, the hosts say.
            "options": without_limit(spec.options),
            "roles": spec.role_versions,
            "hosts": sorted(host.pk for host in self.hosts),
        }
        for name in KEPT[Kind(spec.kind)]:
            value = getattr(spec, name)
            told[name] = getattr(value, "pk", value)
        text = json.dumps(told, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

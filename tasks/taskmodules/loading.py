"""Reads the files of task modules into their rows: new, changed, gone, broken."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from adminset import audit
from tasks.models import TaskModule
from tasks.taskmodules.definitions import Definition
from tasks.taskmodules.findings import Finding
from tasks.taskmodules.parsing import DefinitionError, parse
from tasks.taskmodules.services import fill

SHIPPED = Path(__file__).resolve().parent.parent / "modules"
MOST_FILES = 1000
# Fingerprints of modules whose file is gone: by that it is known whether they come back on.
GONE, GONE_WHILE_OFF = "", "0" * 64


@dataclass(frozen=True)
class Problem:
    """A file that is not used as it is, and why."""

    file: str
    sentences: tuple[str, ...]


@dataclass
class Report:
    """What a reading of the files came to: names of modules, and problems."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    disabled: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Source:
    """One good file."""

    file: str
    text: str
    definition: Definition
    data: dict[str, Any]

    @property
    def sha256(self) -> str:
        """Its fingerprint."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def folders() -> list[Path]:
    """List the folders whose *.yml files are modules: ours, then those of ADMINSET_TASK_MODULE_DIRS."""
    return [SHIPPED, *map(Path, settings.TASK_MODULE_DIRS)]


def load_files(*, actor: Any) -> Report:
    """Bring the rows into step with the files. A broken file leaves its row as it was; a file that is gone turns it off.

    Whoever turned a module off keeps it off, whatever becomes of its file.
    """
    sources, problems = read_files()
    report = Report(problems=problems)
    with transaction.atomic():
        for source in sources:
            _load(actor, source, report)
        broken = {problem.file for problem in problems}
        present = {source.file for source in sources} | broken
        gone = TaskModule.objects.exclude(file="").exclude(file__in=present)
        for module in gone.exclude(sha256__in=(GONE, GONE_WHILE_OFF)):
            _turn_off(actor, module, report)
    return report


def _load(actor: Any, source: Source, report: Report) -> None:
    name = source.definition.name
    rows = TaskModule.objects.select_for_update()
    # By its file first: the name in it may have changed.
    module = rows.filter(file=source.file).first() or rows.filter(name=name).first()
    own = module.pk if module else 0
    other = rows.filter(name=name).exclude(pk=own).exists()
    if other or (module is not None and not module.file):
        words = _("There is a module %(name)s already: choose another name.")
        report.problems.append(Problem(source.file, (words % {"name": name},)))
        return
    if module is None:
        module = TaskModule(file=source.file)
        _write(actor, module, source, "create")
        report.created.append(name)
    elif (module.sha256, module.file) != (source.sha256, source.file):
        # It was turned off because its file was gone; now it is back.
        module.enabled = module.enabled or module.sha256 == GONE
        _write(actor, module, source, "update")
        report.updated.append(name)


def _write(actor: Any, module: TaskModule, source: Source, word: str) -> None:
    before = audit.snapshot(module) if module.pk else {}
    fill(module, source.text, source.definition, source.data)
    module.file = source.file
    module.save()
    changes = audit.changed(before, audit.snapshot(module))
    audit.record(actor, f"taskmodule.{word}", module, changes=changes)


def _turn_off(actor: Any, module: TaskModule, report: Report) -> None:
    before = audit.snapshot(module)
    module.sha256 = GONE if module.enabled else GONE_WHILE_OFF
    module.enabled = False
    module.save()
    reason = _("The file %(file)s is gone.") % {"file": module.file}
    changes = audit.changed(before, audit.snapshot(module))
    audit.record(actor, "taskmodule.update", module, changes=changes, reason=reason)
    report.disabled.append(module.name)


def problems_now() -> list[Problem]:
    """List the files that are not used as they are, and why."""
    sources, problems = read_files()
    own = set(TaskModule.objects.filter(file="").values_list("name", flat=True))
    words = _("There is a module %(name)s already: choose another name.")
    for source in sources:
        name = source.definition.name
        if name in own:
            problems.append(Problem(source.file, (words % {"name": name},)))
    return problems


def read_files() -> tuple[list[Source], list[Problem]]:
    """Read all files; those that cannot be used are problems. Never fails."""
    found: dict[str, Source] = {}
    problems: list[Problem] = []
    for file, path in _files(problems):
        try:
            stamp = path.stat()
            source = _read(file, str(path), stamp.st_mtime_ns, stamp.st_size)
        except DefinitionError as error:
            problems.append(Problem(file, tuple(map(str, error.findings))))
            continue
        except (OSError, UnicodeDecodeError) as error:
            words = _("It cannot be read: %(error)s.")
            why = getattr(error, "strerror", None) or _("it is not UTF-8")
            problems.append(Problem(file, (words % {"error": why},)))
            continue
        name = source.definition.name
        if name in found:
            words = _("%(file)s has the same name %(name)s.")
            told = words % {"file": found[name].file, "name": name}
            problems.append(Problem(file, (told,)))
        else:
            found[name] = source
    return list(found.values()), problems


def _files(problems: list[Problem]) -> Iterator[tuple[str, Path]]:
    """Give the files with the names by which rows know them: shipped ones by their own, others by their whole path."""
    for folder in folders():
        try:
            listed = sorted(
                p for p in folder.iterdir() if p.suffix in {".yml", ".yaml"}
            )
        except OSError as error:
            words = _("The folder cannot be read: %(error)s.")
            problems.append(Problem(str(folder), (words % {"error": error.strerror},)))
            continue
        for path in listed[:MOST_FILES]:
            yield (path.name if folder == SHIPPED else str(path)), path


@lru_cache(maxsize=MOST_FILES)
def _read(file: str, path: str, changed: int, size: int) -> Source:
    if size > settings.TASK_MODULE_BYTES:
        words = _("It is longer than %(most)s KiB.")
        finding = Finding((), words % {"most": settings.TASK_MODULE_BYTES // 1024})
        raise DefinitionError([finding], file)
    text = Path(path).read_text(encoding="utf-8")
    definition, data = parse(text, file)
    return Source(file, text, definition, data)

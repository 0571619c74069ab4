"""Works out what each row of a file would do: make an object, change one and how, nothing, or why it cannot."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from adminset import audit
from adminset.audit_seal import storable
from adminset.crud.differences import says_nothing
from adminset.crud.forms import ResourceForm
from adminset.crud.resource import Resource
from adminset.import_models import ImportPlan, ImportRow
from adminset.imports.keys import ID, Matches, unique_together
from adminset.imports.problems import Problem
from adminset.imports.related import batches
from adminset.imports.rows import RowForms, errors_of
from adminset.imports.sheet import Row, Sheet

Kind = ImportRow.Kind
# Rows that are looked up, judged and written together.
CHUNK = 250


@dataclass
class Judged:
    """What a row would do; `form` is valid where it would do something."""

    row: Row
    kind: str = Kind.ERROR
    target: models.Model | None = None
    form: ResourceForm | None = None
    changes: list[audit.Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def writes(self) -> bool:
        """Whether it would write anything."""
        return self.kind in (Kind.CREATE, Kind.UPDATE)

    def stop(self, *problems: Problem, kind: str = Kind.ERROR) -> "Judged":
        """Say that nothing can come of this row."""
        self.kind = kind
        self.problems += problems
        return self

    def fail(self, message: str, column: str = "", kind: str = Kind.ERROR) -> "Judged":
        """Say why nothing can come of this row."""
        return self.stop(Problem(self.row.line, column, "", message), kind=kind)

    def as_row(self, plan: ImportPlan) -> ImportRow:
        """Give the row of the plan."""
        instance = self.target or (self.form.instance if self.form else None)
        return ImportRow(
            plan=plan,
            line=self.row.line,
            kind=self.kind,
            target_id=self.target.pk if self.target else None,
            name=str(instance)[:200] if instance is not None and self.writes else "",
            changes=storable(self.changes) if self.writes else [],
            errors=[
                {"column": p.column, "value": p.value, "message": p.message}
                for p in self.problems
            ],
        )


class Judge:
    """Judges the rows of one plan with the eyes of its owner."""

    def __init__(self, plan: ImportPlan, resource: Resource, user: Any) -> None:
        self.resource, self.user = resource, user
        self.sheet = sheet_of(plan)
        self._forms = RowForms(resource, user, self.sheet)
        self._read = {row.line: self._forms.read(row) for row in self.sheet.rows}
        self._held = {
            a: user.has_perm(resource.permission(a)) for a in ("add", "change")
        }
        self._key = tuple(plan.key.split(",")) if plan.key else ()
        view = "view" if user.has_perm(resource.permission("view")) else "change"
        self._matches = Matches(resource.rows(user, view), self._key)
        self._lines: dict[Any, list[int]] = {}
        for row in self.sheet.rows if self._key else ():
            self._lines.setdefault(self._key_of(row), []).append(row.line)
        self._unique = unique_together(resource.model)
        self._taken: dict[Any, int] = {}

    def _key_of(self, row: Row) -> tuple[Any, ...] | None:
        values = self.sheet.values(row) | self._read[row.line][0]
        return self._matches.value_of(values)

    def chunks(self) -> Iterator[list[Judged]]:
        """Judge all rows in the order of the file, some hundred at a time."""
        for rows in batches(self.sheet.rows, CHUNK):
            keys = {row.line: self._key_of(row) for row in rows} if self._key else {}
            found = self._matches.find({k for k in keys.values() if k}) if keys else {}
            ids = {pks[0] for pks in found.values() if len(pks) == 1}
            targets = self._targets(ids)
            open_ids = self._changeable(ids)
            yield [
                self._judge(row, keys.get(row.line), found, targets, open_ids)
                for row in rows
            ]

    def _targets(self, ids: set[Any]) -> dict[Any, models.Model]:
        """Bring the objects with all that the trail says of them, in as many queries for many as for one."""
        rows = self.resource.model._default_manager.filter(pk__in=ids).order_by()
        told = (*_names_told(rows.model), *self.resource.import_reads)
        return {row.pk: row for row in rows.prefetch_related(*told)}

    def _changeable(self, ids: set[Any]) -> set[Any]:
        if not ids or not self._held["change"]:
            return set()
        rows = self.resource.rows(self.user, "change").filter(pk__in=ids)
        return set(rows.order_by().values_list("pk", flat=True))

    def _judge(
        self, row: Row, key: Any, found: Any, targets: Any, open_ids: set[Any]
    ) -> Judged:
        judged = Judged(row)
        values, problems = self._read[row.line]
        if row.faults:
            return judged.stop(*row.faults)
        if self._key and not self._identify(judged, key, found.get(key, []), targets):
            return judged.stop(*problems, kind=judged.kind)
        if not self._may(judged, open_ids):
            return judged.stop(*problems)
        form = judged.form = self._forms.form(row, values, judged.target)
        valid = form.is_valid() and not problems
        wrong = {problem.column for problem in problems}
        cells = self.sheet.values(row)
        told = errors_of(row.line, cells, form)
        judged.problems += problems + [p for p in told if p.column not in wrong]
        if not valid:
            return judged
        judged.changes = changes_of(form)
        self._leave_held(judged)
        if judged.target is None:
            judged.kind = Kind.CREATE
        else:
            judged.kind = Kind.UPDATE if judged.changes else Kind.UNCHANGED
        return self._only_once(judged, form)

    def _identify(self, judged: Judged, key: Any, ids: list[Any], targets: Any) -> bool:
        """Find the object that the row means; False where that is not certain."""
        name = self._key[0] if len(self._key) == 1 else ""
        if key is None:
            said = _(
                "The key is empty or makes no sense, so it is not known which object this row means."
            )
            judged.fail(said, name)
            return self._key == (ID,) and self._is_new(judged)
        lines = self._lines[key]
        if len(lines) > 1:
            others = ", ".join(str(n) for n in lines if n != judged.row.line)
            said = _("Line %(lines)s means the same object: keep one of them.")
            judged.fail(said % {"lines": others}, name, Kind.CONFLICT)
            return False
        if len(ids) > 1:
            said = _(
                "%(count)s objects have this key: choose another key, or write the id."
            )
            judged.fail(said % {"count": len(ids)}, name, Kind.CONFLICT)
            return False
        judged.target = targets.get(ids[0]) if ids else None
        if judged.target is None and self._key == (ID,):
            judged.fail(
                _("There is no object with this id, or you may not see it."), ID
            )
            return False
        return True

    def _is_new(self, judged: Judged) -> bool:
        """Take a row without an id for a new object."""
        if self.sheet.values(judged.row).get(ID):
            return False
        judged.problems.clear()
        return True

    def _may(self, judged: Judged, open_ids: set[Any]) -> bool:
        kind = self.resource.verbose_name
        if judged.target is None and not self._held["add"]:
            said = _("This %(kind)s is not there yet, and you may not add any.")
        elif judged.target is not None and judged.target.pk not in open_ids:
            said = _("You may look at this %(kind)s, but not change it.")
        else:
            return True
        judged.fail(said % {"kind": kind})
        return False

    def _leave_held(self, judged: Judged) -> None:
        """Take out what stays because somebody's word counts more than a file's, and say so."""
        if judged.target is None or not judged.changes:
            return
        names = [change["field"] for change in judged.changes]
        held = self.resource.import_held(judged.target, names)
        judged.changes = [c for c in judged.changes if c["field"] not in held]
        for name in sorted(held):
            said = _("Stays as it is: a person has set it, and a file counts less.")
            cell = self.sheet.values(judged.row).get(name, "")[:200]
            judged.problems.append(Problem(judged.row.line, name, cell, said))

    def _only_once(self, judged: Judged, form: ResourceForm) -> Judged:
        """Refuse what another row of the same file takes already; what stands in the database the form has checked."""
        for names in self._unique:
            value = tuple(form.instance.serializable_value(name) for name in names)
            if any(each in (None, "") for each in value):
                continue
            line = self._taken.setdefault((names, value), judged.row.line)
            if line != judged.row.line:
                said = _("Line %(line)s has the same value, and no two may.")
                judged.fail(said % {"line": line}, names[-1])
        return judged


def sheet_of(plan: ImportPlan) -> Sheet:
    """Give the file of a plan as it was read."""
    kept = plan.content
    rows = [
        Row(line, cells, [Problem(*fault) for fault in faults])
        for line, cells, faults in kept["rows"]
    ]
    return Sheet(kept["header"], kept["names"], rows)


def _names_told(model: type[models.Model]) -> list[str]:
    """Name the relations that a snapshot reads, and what their names are made of (a cabinet's name begins with its IDC's)."""
    told = [each.name for each in model._meta.many_to_many]
    for each in model._meta.concrete_fields:
        if isinstance(each, models.ForeignKey):
            told.append(each.name)
            further: Any = each.related_model
            told += [
                f"{each.name}__{below.name}"
                for below in further._meta.concrete_fields
                if isinstance(below, models.ForeignKey) and further is not model
            ]
    return told


def changes_of(form: ResourceForm) -> list[audit.Change]:
    """Say what a valid form changes, before anything is written."""
    after = audit.snapshot(form.instance)
    for relation in form.instance._meta.many_to_many:
        if relation.name in form.cleaned_data:
            pairs = sorted((str(r), r.pk) for r in form.cleaned_data[relation.name])
            after[relation.name] = audit.NamedList(name for name, _key in pairs)
            after[relation.name].key = [key for _name, key in pairs]
    changes = audit.changed(form.before, after)
    if form.instance.pk is None:
        # What no file can say takes its default: it is no news.
        named = [each for each in changes if each["field"] in form.fields]
        return [each for each in named if not says_nothing(each)]
    return [
        each
        for each in changes
        if not says_nothing(each) and not _is_same(form, each["field"])
    ]


def _is_same(form: ResourceForm, name: str) -> bool:
    """Say whether only the writing differs: 2 and 2.0 are one number."""
    before = form.initial.get(name)
    return name in form.initial and before == getattr(form.instance, name, form)

"""Puts one row of AdminSet's into the portal: through the form and the service that pages use; what does not fit goes to the notes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from adminset.audit import SystemActor
from adminset.crud.forms import ResourceForm, bound_form
from adminset.errors import DomainError
from adminset.querysets import Scope
from cmdb.coming import reading
from cmdb.coming.report import Line, Report
from cmdb.coming.source import Row

Read = Callable[[str], Any]


@dataclass(frozen=True)
class Importer(SystemActor):
    """Who brings it over: whoever may run commands on the server may do everything here."""

    audit_name: str = "import_adminset"
    is_active: bool = True

    def scope_of(self, _permission: str) -> Scope:
        """Hold every permission everywhere."""
        return Scope(everything=True)


ACTOR = Importer()


@dataclass
class Wanted:
    """What a row of AdminSet's says, in our words.

    Attributes:
        values: field of the form -> value. told: field -> (AdminSet's column, its text), for the notes if it does not fit.
        lines: what goes to the notes anyway. remarks: what the report says.
        needed: fields without which there is no object.
    """

    row: Row
    needed: tuple[str, ...] = ("name",)
    values: dict[str, Any] = field(default_factory=dict)
    told: dict[str, tuple[str, str]] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What it is called, "" where nobody said."""
        return str(self.values.get(self.needed[0], ""))

    def text(self, column: str) -> None:
        """Keep a column of free text as the notes."""
        if said := reading.text(self.row.get(column)):
            self.lines.append(said)

    def take(self, name: str, column: str, read: Read = str) -> None:
        """Set a field from a column; what cannot be read goes to the notes, nothing where nothing was said."""
        said = reading.text(self.row.get(column))
        if not said or said.startswith("0000-00-00"):
            return
        value = read(said)
        if value is None:
            self.note(column, said)
            return
        self.values[name] = value
        self.told[name] = (column, said)

    def note(self, column: str, said: str = "") -> None:
        """Keep a column in the notes, under its name."""
        said = said or reading.text(self.row.get(column))
        if said:
            self.lines.append(f"{column}: {said}")

    def give_up(self, name: str, why: str = "") -> None:
        """Put a field that does not fit to the notes; a secret is left out."""
        self.values.pop(name, None)
        if name in self.told:
            column, said = self.told.pop(name)
            self.note(column, said)
            self.remarks.append(f"{column} went to the notes{why and ': '}{why}")
        else:
            self.remarks.append(f"{name} was left out{why and ': '}{why}")


@dataclass
class Kind:
    """How objects of a kind are written.

    Attributes:
        notes: the field for what has no other, "" for none. merges: a second row for the same object adds to it; else it is a problem.
    """

    model: type[models.Model]
    form: type[ResourceForm]
    save: Callable[..., models.Model]
    notes: str = "notes"
    merges: bool = True


class Putter:
    """Writes row after row, and remembers which object each became."""

    def __init__(self) -> None:
        self.report = Report()
        # (table, AdminSet's key) -> our key; (model, our key) -> AdminSet's key that had it first.
        self.made: dict[tuple[str, Any], Any] = {}
        self._taken: dict[tuple[str, Any], Any] = {}

    def refer(self, wanted: Wanted, name: str, column: str, table: str) -> None:
        """Set a field to the object that a row of another table became."""
        key = wanted.row.get(column)
        if key is None:
            return
        if (table, key) in self.made:
            wanted.values[name] = self.made[table, key]
        else:
            wanted.remarks.append(f"{column}: {table} {key} did not come over")

    def has(self, model: type[models.Model], **values: Any) -> bool:
        """Say whether an earlier row became the object that is called so."""
        keys = model._default_manager.filter(**values).values_list("pk", flat=True)
        return any((model.__name__, key) in self._taken for key in keys)

    def refuse(self, table: str, wanted: Wanted) -> Line:
        """Note a row as one that cannot be brought over; gives its line of the report."""
        line = Line(table, wanted.row["id"], wanted.name, "problem")
        line.remarks = wanted.remarks
        self.report.lines.append(line)
        return line

    def put(self, table: str, kind: Kind, wanted: Wanted, pk: Any) -> Any:
        """Write one row: into the object of this key, or into a new one.

        Returns:
            our key, None where it was a problem.
        """
        key = wanted.row["id"]
        line = self.refuse(table, wanted)
        first = self._taken.get((kind.model.__name__, pk)) if pk else None
        if first is not None and not self._merge(kind, wanted, line, first):
            return None
        try:
            with transaction.atomic():
                pk = self._write(kind, wanted, pk, line)
        except (DomainError, ValidationError) as error:
            line.outcome = "problem"
            line.remarks.append(_why(error))
            return None
        if pk is not None:
            self.made[table, key] = pk
            self._taken.setdefault((kind.model.__name__, pk), key)
        return pk

    def _merge(self, kind: Kind, wanted: Wanted, line: Line, first: Any) -> bool:
        line.remarks.append(f"the same as row {first} of this table")
        for name in [each for each in wanted.values if each not in wanted.needed]:
            if name in wanted.told:
                wanted.note(*wanted.told.pop(name))
            del wanted.values[name]
        return kind.merges

    def _write(self, kind: Kind, wanted: Wanted, pk: Any, line: Line) -> Any:
        form = _fitting(kind, wanted, pk)
        if not form.is_valid():
            line.remarks += [
                f"{name}: {' '.join(map(str, said))}"
                for name, said in form.errors.items()
            ]
            return None
        line.fields = [each for each in form.changed_data if each in form.fields]
        if pk is not None and not line.fields:
            line.outcome = "unchanged"
            return pk
        saved = kind.save(actor=ACTOR, form=form)
        line.outcome = "created" if pk is None else "updated"
        return saved.pk


def _fitting(kind: Kind, wanted: Wanted, pk: Any) -> ResourceForm:
    """Give the form with everything that fits; the rest is in the notes."""
    while True:
        # Made anew each time: a form that was refused has left its values in the object.
        instance = kind.model._default_manager.get(pk=pk) if pk else None
        values = dict(wanted.values)
        if kind.notes:
            held = str(getattr(instance, kind.notes, "") or "")
            values[kind.notes] = _notes(held, wanted.lines)
        form = bound_form(kind.form, user=ACTOR, values=values, instance=instance)
        if form.is_valid():
            return form
        loose = [
            n for n in form.errors if n in wanted.values and n not in wanted.needed
        ]
        if not loose:
            return form
        for name in loose:
            wanted.give_up(name, " ".join(map(str, form.errors[name])))


def _notes(held: str, lines: list[str]) -> str:
    """Add the lines that are not there yet; what people wrote stays."""
    told = held.replace("\r\n", "\n")
    new = [each for each in dict.fromkeys(lines) if f"\n{each}\n" not in f"\n{told}\n"]
    return "\n".join([held, *new] if held else new)


def _why(error: DomainError | ValidationError) -> str:
    if isinstance(error, DomainError):
        return f"{error.message} {error.hint}".strip()
    return " ".join(error.messages)

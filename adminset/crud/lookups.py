"""Filters of every plain field: `f.<field>.<lookup>=value` in an address; what is not on the list of a resource is refused in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.http import QueryDict
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from adminset.crud import lookup_values as values
from adminset.crud.lookup_values import Kind
from adminset.crud.resource import Resource, resource_of
from adminset.crypto import EncryptedTextField
from adminset.errors import DomainError

PREFIX = "f."
MOST_CONDITIONS = 20
MOST_VALUES = 50
STAMPS = ("created_at", "updated_at")

Target = Resource | type[models.Model]
Params = QueryDict | Mapping[str, Any]


@dataclass(frozen=True)
class Filterable:
    """A field that a list can be narrowed by.

    Attributes:
        name: as in the address. path: as the database knows it. field: the model's field at its end.
    """

    name: str
    path: str
    field: Any
    kind: Kind

    @property
    def label(self) -> str:
        """What people call it."""
        return str(capfirst(getattr(self.field, "verbose_name", self.name)))

    @property
    def lookups(self) -> tuple[str, ...]:
        """Names of the questions that can be asked of it."""
        known = values.LOOKUPS[self.kind]
        if self.field.many_to_many or self.path != self.name:
            return known
        may_lack = self.field.null or (
            self.field.blank and isinstance(self.field, values.TEXTS)
        )
        return tuple(each for each in known if may_lack or each not in values.ASK_NONE)


@dataclass(frozen=True)
class Condition:
    """One filter that is set: a field, a question, and the answers that fit (one of several)."""

    field: Filterable
    lookup: str
    values: tuple[str, ...]

    @property
    def param(self) -> str:
        """Give its name in the address."""
        return f"{PREFIX}{self.field.name}.{self.lookup}"

    def words(self, user: Any) -> str:
        """Say it: "is not: web, db"."""
        question = str(values.WORDS[self.lookup])
        if self.lookup in values.ASK_NONE:
            return question
        told = ", ".join(
            values.shown(self.field.field, self.field.kind, each, user)
            for each in self.values
        )
        return f"{question} {told}"


def fields_of(target: Target) -> dict[str, Filterable]:
    """Give the fields that a resource can be filtered by, by name.

    They are the plain ones among those that its pages and endpoints show anyway, so that a filter tells nothing new;
    never a secret. `Resource.lookups` adds names for paths, or takes a field away (an empty path).
    """
    resource = _resource(target)
    model = resource.model
    paths = {name: name for name in _shown(resource)} | dict(resource.lookups)
    found = {}
    for name, path in paths.items():
        field = _field_at(model, path) if path else None
        kind = values.kind_of(field) if field is not None else None
        if kind is not None and not _is_secret(field):
            found[name] = Filterable(name, path, field, kind)
    return found


def _resource(target: Target) -> Resource:
    """Give the resource of a model.

    Raises:
        DomainError: the model has none: nothing says what of it may be filtered.
    """
    if isinstance(target, Resource):
        return target
    found = resource_of(target._meta.label_lower)
    if found is None:
        raise DomainError(
            _("%(names)s cannot be filtered.")
            % {"names": capfirst(target._meta.verbose_name_plural)}
        )
    return found


def _shown(resource: Resource) -> Iterable[str]:
    names: dict[str, None] = {}
    for group in (
        resource.table.base_columns,
        resource.api_fields or resource.form.base_fields,
        resource.detail_fields,
        STAMPS,
    ):
        names |= dict.fromkeys(group)
    return names


def _field_at(model: type[models.Model], path: str) -> Any:
    """Follow a path of names from a model to the field at its end; None where it leads nowhere."""
    field: Any = None
    at: Any = model
    for part in path.split("__"):
        try:
            field = at._meta.get_field(part)
        except (FieldDoesNotExist, AttributeError):
            return None
        at = field.related_model
    plain = getattr(field, "concrete", False) and not field.primary_key
    # Many relatives of a relative are more than a filter should ask for.
    return field if plain and not (field.many_to_many and "__" in path) else None


def _is_secret(field: Any) -> bool:
    return isinstance(field, EncryptedTextField) or getattr(field, "secret", False)


def problems(target: Target, params: Params, user: Any) -> dict[str, str]:
    """Say what is wrong with the filters of a query: {parameter: sentence}; empty when all are good.

    Args:
        target: the resource, or its model.
        params: a QueryDict, or parameter -> text or list of texts; what does not begin with "f." is somebody else's.
        user: who asks: related objects are only those that he or she may see; None: the portal itself, which sees all.
    """
    return _read(target, params, user)[1]


def conditions(target: Target, params: Params, user: Any) -> list[Condition]:
    """List the good filters of a query, in its order."""
    return _read(target, params, user)[0]


def apply(
    target: Target, rows: models.QuerySet, params: Params, user: Any
) -> models.QuerySet:
    """Narrow rows of a resource by the filters of a query; arguments as for `problems`.

    Raises:
        DomainError: a field, a question or a value that there is not; `fields` says which.
    """
    found, wrong = _read(target, params, user)
    refuse(wrong)
    return narrowed(rows, found, user)


def refuse(wrong: Mapping[str, str]) -> None:
    """Let nothing go on with filters that are wrong.

    Raises:
        DomainError: there are some; `fields` says which.
    """
    if wrong:
        raise DomainError(
            _("These filters cannot be used."), " ".join(wrong.values()), fields=wrong
        )


def narrowed(
    rows: models.QuerySet, found: Iterable[Condition], user: Any
) -> models.QuerySet:
    """Narrow rows by filters that are known to be good."""
    for each in found:
        field = each.field
        rows = rows.filter(
            values.condition(
                field.field, field.kind, field.path, each.lookup, each.values, user
            )
        )
    return rows


def _read(
    target: Target, params: Params, user: Any
) -> tuple[list[Condition], dict[str, str]]:
    asked = {name: _texts(params, name) for name in params if name.startswith(PREFIX)}
    known = fields_of(target) if asked else {}
    found, wrong = [], {}
    for number, (name, texts) in enumerate(asked.items()):
        try:
            if number >= MOST_CONDITIONS or len(texts) > MOST_VALUES:
                raise ValueError(_("These are too many filters at once."))
            found.append(_condition(known, name, texts, user))
        except ValueError as error:
            wrong[name[:120]] = str(error)
    return found, wrong


def _texts(params: Params, name: str) -> tuple[str, ...]:
    got: Any = params.getlist(name) if isinstance(params, QueryDict) else params[name]
    return tuple(map(str, got)) if isinstance(got, list | tuple) else (str(got),)


def _condition(
    known: Mapping[str, Filterable], name: str, texts: tuple[str, ...], user: Any
) -> Condition:
    """Read one parameter.

    Raises:
        ValueError: it names no field, no question of the field, or a value that makes no sense; says which.
    """
    field_name, _dot, lookup = name.removeprefix(PREFIX).rpartition(".")
    field = known.get(field_name)
    if field is None:
        raise ValueError(
            _("There is no filter by %(name)s. There are: %(known)s.")
            % {"name": (field_name or lookup)[:50], "known": ", ".join(known)}
        )
    if lookup not in field.lookups:
        raise ValueError(
            _("%(name)s cannot be asked for %(lookup)s. Known: %(known)s.")
            % {
                "name": field.label,
                "lookup": lookup[:20],
                "known": ", ".join(field.lookups),
            }
        )
    for text in texts:
        try:
            values.read(field.field, field.kind, lookup, text, user)
        except ValueError as error:
            raise ValueError(f"{field.label}: {error}") from error
    return Condition(field, lookup, texts)


def choices_url(field: Filterable, user: Any) -> str:
    """Give where the names of a field's related objects can be looked for; "" where they cannot, or not by this user."""
    if field.kind is not Kind.RELATION:
        return ""
    model = field.field.related_model
    found = resource_of(model._meta.label_lower)
    if found is None or not found.search or not user.has_perm(found.permission("view")):
        return ""
    return reverse("choices", args=[found.path])

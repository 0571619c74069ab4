"""The same act on many rows: change fields, rename, delete; through the form and the service of each, all or nothing."""

from collections.abc import Callable, Iterator
from typing import Any

from django.db import models, transaction

from adminset.crud import bulk_plain
from adminset.crud.forms import bound_form
from adminset.crud.renaming import Renaming
from adminset.crud.resource import Resource
from adminset.errors import DomainError
from adminset.gathering import gathering
from adminset.imports.together import write_together

CHUNK = 200
# So many sentences are enough to see what is wrong.
MOST_ERRORS = 50
Progress = Callable[[int], None]


def _quiet(_count: int) -> None:
    """Tell nobody how far it is."""


def edit(
    *,
    actor: Any,
    resource: Resource,
    rows: models.QuerySet,
    values: dict[str, Any],
    progress: Progress = _quiet,
) -> list[str]:
    """Set fields of all rows to the same values.

    Args:
        values: field name -> what the form's widget gives.
        progress: called with how many more rows are done.

    Returns:
        what is wrong; nothing is kept then.
    """
    if set(values) <= set(resource.bulk_plain):
        return bulk_plain.edit(
            actor=actor, resource=resource, rows=rows, values=values, progress=progress
        )
    return _save_each(actor, resource, rows, lambda row: values, progress)


def rename(
    *,
    actor: Any,
    resource: Resource,
    rows: models.QuerySet,
    renaming: Renaming,
    progress: Progress = _quiet,
) -> list[str]:
    """Give rows new names; arguments and answer as for `edit`."""
    field = resource.rename_field
    new = dict(renaming.changes(rows, field))
    changing = rows.filter(pk__in=new) if len(new) < CHUNK else rows

    def values(row: Any) -> dict[str, Any]:
        return {field: new[row.pk]} if row.pk in new else {}

    return _save_each(actor, resource, changing, values, progress)


def delete(
    *,
    actor: Any,
    resource: Resource,
    rows: models.QuerySet,
    progress: Progress = _quiet,
) -> list[str]:
    """Delete rows; arguments and answer as for `edit`."""
    with transaction.atomic():
        for some in chunks(resource, rows):
            try:
                for row in some:
                    resource.delete(actor=actor, instance=row)
            except DomainError as error:
                transaction.set_rollback(True)
                return [f"{error.message} {error.hint}".strip()]
            progress(len(some))
    return []


def chunks(resource: Resource, rows: models.QuerySet) -> Iterator[list[Any]]:
    """Give rows in lists, held until the transaction ends, with what their forms and names need."""
    model = resource.model
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    single = [f.name for f in model._meta.concrete_fields if f.many_to_one]
    many = [f.name for f in model._meta.many_to_many]
    for start in range(0, len(keys), CHUNK):
        some = keys[start : start + CHUNK]
        held = model._base_manager.select_for_update().filter(pk__in=some)
        list(held.order_by("pk").values_list("pk", flat=True))
        found = model._default_manager.filter(pk__in=some).order_by("pk")
        yield list(found.select_related(*single).prefetch_related(*many))


def _save_each(
    actor: Any,
    resource: Resource,
    rows: models.QuerySet,
    values_of: Callable[[Any], dict[str, Any]],
    progress: Progress,
) -> list[str]:
    errors: list[str] = []
    with transaction.atomic():
        for some in chunks(resource, rows):
            with gathering() as waiting:
                for row in some:
                    if values := values_of(row):
                        errors += _save(actor, resource, row, values)
            if not errors:
                write_together(waiting)
            progress(len(some))
            if len(errors) >= MOST_ERRORS:
                break
        transaction.set_rollback(bool(errors))
    return errors[:MOST_ERRORS]


def _save(
    actor: Any, resource: Resource, row: Any, values: dict[str, Any]
) -> list[str]:
    name = str(row)
    form = bound_form(resource.form, user=actor, values=values, instance=row)
    if form.is_valid():
        try:
            resource.save_checked(user=actor, form=form)
        except DomainError as error:
            return [f"{name}: {error.message} {error.hint}".strip()]
        return []
    return [
        f"{name}: {field}: {' '.join(map(str, texts))}"
        for field, texts in form.errors.items()
    ]

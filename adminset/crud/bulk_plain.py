"""Fields whose value is the same matter for many rows: checked once for rows that are alike, written and recorded in batches."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit, audit_many
from adminset.crud import search_terms
from adminset.crud.forms import bound_form
from adminset.crud.resource import Resource
from adminset.errors import Forbidden

CHUNK = 1000
MOST_ERRORS = 50


def edit(
    *,
    actor: Any,
    resource: Resource,
    rows: models.QuerySet,
    values: dict[str, Any],
    progress: Any,
) -> list[str]:
    """Set such fields of all rows; see bulk_work.edit."""
    errors: list[str] = []
    with transaction.atomic():
        for keys in _alike(resource, rows, values):
            clean, wrong = _checked(actor, resource, keys[0], values)
            errors += wrong
            for start in range(0, 0 if errors else len(keys), CHUNK):
                some = keys[start : start + CHUNK]
                with resource.bulk_guard(actor, some):
                    _write(actor, resource, some, clean)
                progress(len(some))
            if len(errors) >= MOST_ERRORS:
                break
        transaction.set_rollback(bool(errors))
    return errors


def _alike(
    resource: Resource, rows: models.QuerySet, values: dict[str, Any]
) -> list[list[Any]]:
    """Sort the keys of rows into lists of those on which the check of these fields looks alike."""
    looks = sorted({name for each in values for name in resource.bulk_plain[each]})
    found: dict[Any, list[Any]] = {}
    for key, *seen in rows.order_by("pk").values_list("pk", *looks):
        found.setdefault(tuple(seen), []).append(key)
    return list(found.values())


def _checked(
    actor: Any, resource: Resource, key: Any, values: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """Read the values through the form of one row, which speaks for those like it.

    And as for a new one: what only that row may keep, though its editor cannot see it, is no choice for others.
    """
    row = resource.model._default_manager.get(pk=key)
    form = bound_form(resource.form, user=actor, values=values, instance=row)
    form.is_valid()
    blank = resource.form(user=actor)
    errors = []
    for name, value in values.items():
        try:
            blank.fields[name].clean(form.data.get(name, value))
        except ValidationError as error:
            form.add_error(name, error)
        if name in form.errors:
            words = dict.fromkeys(map(str, form.errors[name]))
            errors.append(f"{row}: {form[name].label}: {' '.join(words)}")
    return {} if errors else {n: form.cleaned_data[n] for n in values}, errors


def _write(
    actor: Any, resource: Resource, keys: list[Any], values: dict[str, Any]
) -> None:
    model = resource.model
    related = [n for n in values if model._meta.get_field(n).is_relation]
    held = model._base_manager.select_for_update().filter(pk__in=keys).order_by("pk")
    list(held.values_list("pk", flat=True))
    rows = model._default_manager.filter(pk__in=keys).order_by("pk")
    done = []
    for row in rows.select_related(*related):
        before = audit.snapshot_of(row, values)
        for name, value in values.items():
            setattr(row, name, value)
        if changes := audit.changed(before, audit.snapshot_of(row, values)):
            done.append((row, changes))
    changed = [row.pk for row, _changes in done]
    model._base_manager.filter(pk__in=changed).update(**values, **_stamp(model))
    if resource.rows(actor, "change").filter(pk__in=keys).count() != len(keys):
        raise Forbidden(
            _("Some of these rows would lie outside your scope."),
            _("Choose values that you are responsible for."),
            code="out_of_scope",
        )
    if not set(values).isdisjoint(search_terms.own_fields(resource)):
        search_terms.index_rows(model, changed)
    audit_many.record(actor, f"{resource.model_name}.update", done)


def _stamp(model: type[models.Model]) -> dict[str, Any]:
    names = {field.name for field in model._meta.concrete_fields}
    return {"updated_at": timezone.now()} if "updated_at" in names else {}

"""Forms, lists and filters of models that need nothing special: made from the model's own fields."""

from typing import Any, cast

import django_filters
import django_tables2 as tables
from django import forms
from django.db import models

from adminset.crud.forms import ResourceForm
from adminset.crud.tables import ResourceTable

NUMBER = {"td": {"class": "num"}}
NUMBERS = (models.IntegerField, models.DecimalField, models.FloatField)


def plain_form(model: type[models.Model], *fields: str) -> type[ResourceForm]:
    """Make the form of a model: a box for each field, as its kind asks."""
    widgets: dict[str, type[forms.Widget] | forms.Widget] = {}
    for name in fields:
        field = model._meta.get_field(name)
        if isinstance(field, models.DateField) and not isinstance(
            field, models.DateTimeField
        ):
            widgets[name] = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        elif isinstance(field, models.TextField):
            widgets[name] = forms.Textarea(attrs={"rows": 3})
    made = forms.modelform_factory(
        model,
        form=ResourceForm,
        fields=fields,
        widgets=widgets,
        formfield_callback=_box,
    )
    return cast("type[ResourceForm]", made)


def _box(field: models.Field, **options: Any) -> forms.Field | None:
    if isinstance(field, models.URLField):
        options["assume_scheme"] = "https"
    made: forms.Field | None = field.formfield(**options)
    return made


def plain_table(
    model: type[models.Model],
    /,
    *fields: str,
    default: tuple[str, ...] = (),
    **columns: tables.Column,
) -> type[ResourceTable]:
    """Make the list of a model: the first column leads to the object's page, numbers stand to the right.

    Args:
        fields: columns in their order. default: those that show first, when not all do.
        columns: columns of another kind, by name: one of `fields`, or a further one at the end.
    """
    made: dict[str, Any] = {fields[0]: tables.Column(linkify=True)}
    for name in fields[1:]:
        if name not in columns and isinstance(model._meta.get_field(name), NUMBERS):
            made[name] = tables.Column(attrs=NUMBER)
    further = tuple(name for name in columns if name not in fields)
    meta = {
        "model": model,
        "fields": fields,
        "sequence": ("select", *fields, *further, "actions"),
        "default_columns": default,
    }
    made |= columns | {"Meta": type("Meta", (ResourceTable.Meta,), meta)}
    return type(f"{model.__name__}Table", (ResourceTable,), made)


def plain_filter(
    model: type[models.Model], *fields: str
) -> type[django_filters.FilterSet]:
    """Make the filters of a list: one of several for choices and related objects, which are only those that the reader may see."""
    made: dict[str, Any] = {}
    for name in fields:
        field: Any = model._meta.get_field(name)
        related = field.related_model
        if isinstance(related, type):
            made[name] = django_filters.ModelMultipleChoiceFilter(
                label=field.verbose_name, queryset=_seen(related)
            )
        elif getattr(field, "choices", None):
            made[name] = django_filters.MultipleChoiceFilter(
                label=field.verbose_name, choices=field.choices
            )
    meta = type("Meta", (), {"model": model, "fields": fields})
    return type(
        f"{model.__name__}Filter", (django_filters.FilterSet,), {**made, "Meta": meta}
    )


def named_by(model: type[models.Model]) -> list[str]:
    """Name the related objects that a row's own name may be made of: those that it cannot be without."""
    return [
        field.name
        for field in model._meta.concrete_fields
        if field.is_relation and not field.null
    ]


def _seen(model: type[models.Model]) -> Any:
    def rows(request: Any) -> models.QuerySet:
        manager: Any = model._default_manager
        found = manager.visible_to(request.user) if request else manager.none()
        return found.select_related(*named_by(model))

    return rows

"""Many rows at once: edit the ticked fields, delete, import a CSV file; all or nothing."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset import audit
from adminset.crud import spreadsheet
from adminset.crud.forms import bound_form
from adminset.crud.resource import Resource
from adminset.errors import DomainError


def selected(request: HttpRequest, resource: Resource, action: str) -> models.QuerySet:
    """Give the ticked rows.

    Raises:
        DomainError: none or too many are ticked.
        PermissionDenied: the user may not do this to every one of them (nothing is done to any).
    """
    asked = request.POST.getlist("pk")
    # No key of a row has 19 digits, and no database takes a longer one.
    keys = {int(pk) for pk in asked if pk.isdecimal() and len(pk) < 19}
    if not keys:
        raise DomainError(_("Nothing is selected."), _("Tick rows in the list first."))
    if len(keys) > settings.BULK_MAX_ROWS:
        raise DomainError(
            _("%(count)s rows are too many at once.") % {"count": len(keys)},
            _("Select at most %(most)s.") % {"most": settings.BULK_MAX_ROWS},
        )
    rows = resource.rows(request.user, action).filter(pk__in=keys)
    if rows.count() != len(keys):
        raise PermissionDenied(resource.permission(action))
    return resource.list_queryset(rows)


def bulk_edit_page(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Change the ticked fields of the selected rows; any row that cannot be changed stops all."""
    if request.method != "POST":
        return redirect(resource.url("list"))
    rows = selected(request, resource, "change")
    blank = resource.form(user=request.user)
    ticked = [name for name in resource.bulk_fields if f"change_{name}" in request.POST]
    errors: list[str] = []
    if ticked and "apply" in request.POST:
        values = {
            name: blank[name].field.widget.value_from_datadict(request.POST, {}, name)
            for name in ticked
        }
        errors = _edit_all(request, resource, rows, values)
        if not errors:
            _say(
                request,
                ngettext(
                    "%(count)s row is changed.",
                    "%(count)s rows are changed.",
                    len(rows),
                ),
                len(rows),
            )
            return redirect(resource.url("list"))
    elif "apply" in request.POST:
        errors = [_("Tick at least one field to change.")]
    context = _head(resource, _("Edit the selected")) | {
        "objects": rows,
        "bulk_fields": [blank[name] for name in resource.bulk_fields],
        "ticked": ticked,
        "errors": errors,
    }
    return render(
        request, "generic/bulk_edit.html", context, status=422 if errors else 200
    )


def _edit_all(
    request: HttpRequest,
    resource: Resource,
    rows: models.QuerySet,
    values: dict[str, Any],
) -> list[str]:
    errors: list[str] = []
    with transaction.atomic():
        for row in rows:
            form = bound_form(
                resource.form, user=request.user, values=values, instance=row
            )
            if form.is_valid():
                resource.save_checked(user=request.user, form=form)
            else:
                errors += [
                    f"{row}: {field}: {' '.join(map(str, texts))}"
                    for field, texts in form.errors.items()
                ]
        transaction.set_rollback(bool(errors))
    return errors


def bulk_delete_page(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Ask, then delete the selected rows, or none."""
    if request.method != "POST":
        return redirect(resource.url("list"))
    rows = list(selected(request, resource, "delete"))
    if "confirm" not in request.POST:
        context = _head(resource, _("Delete the selected")) | {"objects": rows}
        return render(request, "generic/bulk_delete.html", context)
    try:
        with transaction.atomic():
            for row in rows:
                resource.delete(actor=request.user, instance=row)
    except DomainError as error:
        messages.error(request, f"{error.message} {error.hint}")
    else:
        _say(
            request,
            ngettext(
                "%(count)s row is deleted.", "%(count)s rows are deleted.", len(rows)
            ),
            len(rows),
        )
    return redirect(resource.url("list"))


def import_page(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Take a CSV file: every row through the form of the edit page; all errors at once, and then nothing is kept."""
    names = resource.import_fields or tuple(resource.form.base_fields)
    errors: list[spreadsheet.CellError] = []
    if request.method == "POST":
        errors, saved = _import(request, resource, names)
        if not errors:
            _say(
                request,
                ngettext(
                    "%(count)s row is imported.", "%(count)s rows are imported.", saved
                ),
                saved,
            )
            return redirect(resource.url("list"))
    blank = resource.form(user=request.user)
    context = _head(resource, _("Import")) | {
        "columns": [blank[name] for name in names],
        "header": ",".join(names),
        "errors": errors,
        "most_rows": settings.IMPORT_MAX_ROWS,
    }
    return render(
        request, "generic/import.html", context, status=422 if errors else 200
    )


def _import(
    request: HttpRequest, resource: Resource, names: tuple[str, ...]
) -> tuple[list[spreadsheet.CellError], int]:
    upload = request.FILES.get("file")
    if upload is None:
        return [spreadsheet.CellError(0, "", "", _("Choose a file first."))], 0
    rows, errors = spreadsheet.read_csv(upload.read(), names, settings.IMPORT_MAX_ROWS)
    if errors:
        return errors, 0
    with transaction.atomic():
        for line, row in rows:
            form = bound_form(resource.form, user=request.user, values=row)
            try:
                if form.is_valid():
                    resource.save_checked(user=request.user, form=form)
            except DomainError as error:
                form.add_error(None, f"{error.message} {error.hint}".strip())
            errors += spreadsheet.form_errors(line, row, form)
        change = {"field": "rows", "old": None, "new": len(rows)}
        verb = f"{resource.model_name}.import"
        audit.record(
            cast("audit.Actor", request.user), verb, resource.model, changes=[change]
        )
        transaction.set_rollback(bool(errors))
    return errors, len(rows)


def _head(resource: Resource, title: str) -> dict[str, Any]:
    return {
        "resource": resource,
        "page_title": title,
        "crumbs": [(resource.verbose_name_plural, resource.url("list")), (title, None)],
        "cancel_url": resource.url("list"),
    }


def _say(request: HttpRequest, sentence: str, count: int) -> None:
    messages.success(request, sentence % {"count": count})

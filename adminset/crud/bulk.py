"""The pages of many rows at once: edit the ticked fields, rename, delete; all or nothing."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from adminset import tasks
from adminset.crud import bulk_jobs, bulk_work, fields, renaming, selection
from adminset.crud.forms import bound_form
from adminset.crud.resource import Resource
from adminset.crud.selection import Selection
from adminset.errors import DomainError
from adminset.http import SIGNED_IN, is_htmx, requires
from adminset.models import BulkJob

# Names of rows that are shown before something is done to them.
NAMED = 12
Errors = list[str]


def bulk_edit_page(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Change the ticked fields of the selected rows; any row that cannot be changed stops all."""
    if request.method != "POST":
        return redirect(resource.url("list"))
    chosen = selection.of_form(resource, request.POST, request.user)
    rows = chosen.rows(request.user, "change")
    blank = resource.form(user=request.user)
    offered = [n for n in resource.bulk_fields if n not in resource.form.secret_names()]
    ticked = [name for name in offered if f"change_{name}" in request.POST]
    errors: Errors = []
    if ticked and "apply" in request.POST:
        values = {
            name: blank[name].field.widget.value_from_datadict(request.POST, {}, name)
            for name in ticked
        }
        answer = _act(request, chosen, BulkJob.Kind.EDIT, values)
        if isinstance(answer, HttpResponse):
            return answer
        errors = answer
    elif "apply" in request.POST:
        errors = [_("Tick at least one field to change.")]
    context = _head(resource, _("Edit the selected"), chosen, rows) | {
        "bulk_fields": [blank[name] for name in offered],
        "ticked": ticked,
        "errors": errors,
    }
    return _page(request, "generic/bulk_edit.html", context)


def bulk_rename_page(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Rename the selected rows: first what it would do, then all of it or nothing."""
    if request.method != "POST":
        return redirect(resource.url("list"))
    chosen = selection.of_form(resource, request.POST, request.user)
    rows = chosen.rows(request.user, "change")
    context = _head(resource, _("Rename the selected"), chosen, rows) | {
        "sent": {n: request.POST.get(n, "") for n in ("find", "replace", "start")},
        "errors": [],
    }
    if "preview" in request.POST or "apply" in request.POST:
        try:
            wanted = renaming.of_form(request.POST)
            if "apply" in request.POST:
                answer = _act(request, chosen, BulkJob.Kind.RENAME, vars(wanted))
                if isinstance(answer, HttpResponse):
                    return answer
                context["errors"] = answer
            every = resource.rows(request.user)
            field = resource.rename_field
            context["preview"] = renaming.preview(wanted, rows, every, field)
        except DomainError as error:
            context["errors"] = [error.message]
    return _page(request, "generic/bulk_rename.html", context)


def bulk_delete_page(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Show how much depends on the selected rows, ask for their number, then delete them, or none."""
    if request.method != "POST":
        return redirect(resource.url("list"))
    chosen = selection.of_form(resource, request.POST, request.user)
    rows = chosen.rows(request.user, "delete")
    errors: Errors = []
    if "confirm" in request.POST:
        if request.POST.get("count", "").strip() != str(chosen.count):
            errors = [
                _("Type the number of rows, %(count)s, to say that you mean them all.")
                % {"count": chosen.count}
            ]
        else:
            answer = _act(request, chosen, BulkJob.Kind.DELETE, {})
            if isinstance(answer, HttpResponse):
                return answer
            errors = answer
    context = _head(resource, _("Delete the selected"), chosen, rows) | {
        "dependents": fields.dependents_of(rows, request.user),
        "errors": errors,
    }
    return _page(request, "generic/bulk_delete.html", context)


def _act(
    request: HttpRequest, chosen: Selection, kind: BulkJob.Kind, wanted: dict[str, Any]
) -> HttpResponse | Errors:
    """Do it here and now, or have a worker do it; give where to go on, or what is wrong."""
    if chosen.count > settings.BULK_INLINE_ROWS:
        errors = _first_errors(request, chosen, kind, wanted)
        return errors or _by_worker(request, chosen, kind, wanted)
    action = "delete" if kind == BulkJob.Kind.DELETE else "change"
    told: dict[str, Any] = {"actor": request.user, "resource": chosen.resource}
    with transaction.atomic():
        told["rows"] = chosen.rows(request.user, action)
        if kind == BulkJob.Kind.DELETE:
            errors = bulk_work.delete(**told)
        elif kind == BulkJob.Kind.RENAME:
            wish = renaming.Renaming(**wanted)
            errors = bulk_work.rename(**told, renaming=wish)
        else:
            errors = bulk_work.edit(**told, values=wanted)
    if errors:
        return errors
    messages.success(request, _done_words(kind, chosen.count))
    return redirect(chosen.resource.url("list"))


def _first_errors(
    request: HttpRequest, chosen: Selection, kind: BulkJob.Kind, wanted: dict[str, Any]
) -> Errors:
    """Look whether the values fit the first row at least: a plain slip is told at once, not by a worker."""
    if kind != BulkJob.Kind.EDIT:
        return []
    row = chosen.rows(request.user, "change").order_by("pk").first()
    form = bound_form(
        chosen.resource.form, user=request.user, values=wanted, instance=row
    )
    form.is_valid()
    return [
        f"{form[name].label}: {' '.join(map(str, form.errors[name]))}"
        for name in wanted
        if name in form.errors
    ]


def _by_worker(
    request: HttpRequest, chosen: Selection, kind: BulkJob.Kind, wanted: dict[str, Any]
) -> HttpResponse:
    job = bulk_jobs.make(actor=request.user, chosen=chosen, kind=kind, wanted=wanted)
    tasks.send_bulk(job)
    return redirect("bulk_job", job.pk)


@requires(SIGNED_IN)
@require_safe
def job_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show whoever asked for it how far the work on many rows is."""
    job = BulkJob.objects.filter(pk=pk, owner_id=request.user.pk).first()
    if job is None:
        raise Http404
    resource = bulk_jobs.resource_at(job.resource)
    title = str(job.get_kind_display()).capitalize()
    context = {
        "job": job,
        "resource": resource,
        "page_title": title,
        "crumbs": [(resource.verbose_name_plural, resource.url("list")), (title, None)],
        "done_words": _done_words(BulkJob.Kind(job.kind), job.total),
        **bulk_jobs.progress(job),
    }
    name = "generic/_bulk_job.html" if is_htmx(request) else "generic/bulk_job.html"
    return render(request, name, context)


def _head(
    resource: Resource, title: str, chosen: Selection, rows: Any
) -> dict[str, Any]:
    named = resource.list_queryset(rows)[:NAMED]
    return {
        "resource": resource,
        "page_title": title,
        "crumbs": [(resource.verbose_name_plural, resource.url("list")), (title, None)],
        "cancel_url": resource.url("list"),
        "names": [str(row) for row in named],
        "count": chosen.count,
        "keys": chosen.keys,
        "frozen": chosen.frozen is not None,
    }


def _page(request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
    context["selection"] = request.POST.get(selection.FIELD, "")
    return render(request, name, context, status=422 if context["errors"] else 200)


def _done_words(kind: BulkJob.Kind, count: int) -> str:
    if kind == BulkJob.Kind.DELETE:
        said = ngettext(
            "%(count)s row is deleted.", "%(count)s rows are deleted.", count
        )
    else:
        said = ngettext(
            "%(count)s row is changed.", "%(count)s rows are changed.", count
        )
    return said % {"count": count}

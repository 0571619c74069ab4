"""The pages of an import: the upload, the plan with what each row would do, the deed, the bad rows as a file."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from adminset.crud.history import drawn, seen_change
from adminset.crud.resource import Resource
from adminset.errors import DomainError
from adminset.http import SIGNED_IN, is_htmx, requires
from adminset.import_models import ImportPlan, ImportRow
from adminset.imports import applying, plans, work
from adminset.imports.bad_rows import as_csv
from adminset.imports.encoding import ENCODINGS
from adminset.imports.keys import ID, offered
from adminset.imports.problems import Problem, Unreadable, whole
from adminset.imports.sheet import Header
from adminset.models import AuditEntry
from adminset.streams import stream
from adminset.tasks import send_import

# A file of more rows is a worker's.
AT_ONCE = 200
ROWS_A_PAGE = 50
STATES = {
    ImportPlan.State.PLANNED: "idle",
    ImportPlan.State.APPLIED: "ok",
    ImportPlan.State.REFUSED: "danger",
    ImportPlan.State.FAILED: "danger",
}
KIND_STATES = {
    ImportRow.Kind.CREATE: "ok",
    ImportRow.Kind.UPDATE: "busy",
    ImportRow.Kind.UNCHANGED: "idle",
    ImportRow.Kind.CONFLICT: "warning",
    ImportRow.Kind.ERROR: "danger",
}


# ---- The upload


def import_page(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Take a file and make a plan of it; a file that cannot be read is answered with what is wrong, and leaves nothing."""
    blank = resource.form(user=request.user)
    columns = [blank[name] for name in column_names(resource, blank)]
    labels = {bound.name: str(bound.label) for bound in columns}
    keys = offered(resource, labels)
    problems: list[Problem] = []
    if request.method == "POST":
        try:
            plan = _planned(request, resource, labels, dict(keys))
        except Unreadable as error:
            problems = error.problems
        else:
            return redirect("import_plan", plan.pk)
    context = {
        "resource": resource,
        "page_title": _("Import"),
        "crumbs": [
            (resource.verbose_name_plural, resource.url("list")),
            (_("Import"), None),
        ],
        "columns": columns,
        "header": ",".join(labels),
        "keys": keys,
        "key": request.POST.get("key", keys[0][0]),
        "encodings": ENCODINGS.items(),
        "encoding": request.POST.get("encoding", ""),
        "errors": problems,
        "most_rows": settings.IMPORT_MAX_ROWS,
        "most_bytes": settings.IMPORT_MAX_BYTES,
        "mine": ImportPlan.objects.of(request.user).filter(resource=resource.path)[:5],
    }
    status = 422 if problems else 200
    return render(request, "generic/import.html", context, status=status)


def column_names(resource: Resource, blank: Any) -> list[str]:
    """Name the columns of an import; a secret would lie in a file, and in the plan: there is no column for one."""
    secret = set(blank.secret_names())
    return [
        name
        for name in resource.import_fields or tuple(blank.fields)
        if name in blank.fields
        and name not in secret
        and not isinstance(blank.fields[name].widget, forms.PasswordInput)
    ]


def _planned(
    request: HttpRequest, resource: Resource, labels: dict[str, str], keys: Any
) -> ImportPlan:
    upload = request.FILES.get("file")
    key, encoding = request.POST.get("key", ""), request.POST.get("encoding", "")
    if upload is None or key not in keys or encoding not in ENCODINGS:
        raise whole(_("Choose a file first."))
    # One byte more than may be tells that there are too many.
    content = upload.read(settings.IMPORT_MAX_BYTES + 1)
    header = Header({**labels, ID: ID})
    sheet = plans.read_file(content, header, encoding, key)
    plan = plans.make_plan(
        actor=request.user, resource=resource, sheet=sheet, file=upload, key=key
    )
    _send(request, plan)
    return plan


def _send(request: HttpRequest, plan: ImportPlan) -> None:
    """Have it done: small ones now, others by a worker."""
    if plan.row_count > AT_ONCE:
        try:
            send_import(plan)
        except DomainError as error:
            messages.error(request, f"{error.message} {error.hint}")
    elif plan.state == ImportPlan.State.QUEUED:
        applying.apply_plan(pk=plan.pk)
    else:
        plans.look_through(pk=plan.pk)


# ---- The plan


@requires(SIGNED_IN)
@require_safe
def import_list(request: HttpRequest) -> HttpResponse:
    """List one's own imports."""
    rows = ImportPlan.objects.of(request.user).defer("packed")
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    title = _("My imports")
    context = {
        "page": page,
        "plans": [(plan, _state(plan)) for plan in page],
        "page_title": title,
        "crumbs": [(title, None)],
    }
    return render(request, "generic/import_list.html", context)


def _own(request: HttpRequest, pk: int) -> tuple[ImportPlan, Resource]:
    """Get a plan of the user's own; whether he or she may still import is asked by `_guarded`."""
    plan = ImportPlan.objects.of(request.user).filter(pk=pk).first()
    if plan is None:
        raise Http404(_("There is no such import."))
    return plan, plans.resource_of(plan)


def _guarded(view: Any, request: HttpRequest, pk: int) -> Any:
    plan, resource = _own(request, pk)
    asked = (resource.permission("add"), resource.permission("change"))
    return requires(*asked)(view)(request, plan, resource)


@requires(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def import_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what each row would do; apply it, have it looked through again, or throw it away (POST do=apply, again, discard)."""
    answer: HttpResponse = _guarded(
        _act if request.method == "POST" else _show, request, pk
    )
    return answer


@requires(SIGNED_IN)
@require_safe
def bad_rows(request: HttpRequest, pk: int) -> Any:
    """Give the rows that cannot be taken as a file, each with why: mend them there and send it again."""
    return _guarded(_bad_rows, request, pk)


def _act(request: HttpRequest, plan: ImportPlan, resource: Resource) -> HttpResponse:
    wanted = request.POST.get("do", "")
    if wanted == "apply":
        plans.queue(actor=request.user, plan=plan)
    elif wanted == "again":
        plans.again(actor=request.user, plan=plan)
    elif wanted == "discard":
        plans.discard(actor=request.user, plan=plan)
        messages.success(request, _("The plan is thrown away."))
        return redirect(resource.url("list"))
    else:
        raise DomainError(_("Choose what to do with this import."))
    _send(request, plan)
    return redirect("import_plan", plan.pk)


def _show(request: HttpRequest, plan: ImportPlan, resource: Resource) -> HttpResponse:
    kind = request.GET.get("kind", "")
    kind = kind if kind in ImportRow.Kind.values else ""
    rows = plan.rows.filter(kind=kind) if kind else plan.rows.all()
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    lost = work.is_lost(plan)
    context = {
        "plan": plan,
        "resource": resource,
        "state": ("danger", _("the worker is gone")) if lost else _state(plan),
        "lost": lost,
        "done": work.done_of(plan) if plan.is_open else None,
        "counts": _counts(plan),
        "kind": kind,
        "page": page,
        "rows": [_drawn(request, resource, row) for row in page],
        "key_words": _key_words(plan, resource),
        "undo_url": _undo_url(plan),
        "page_title": plan.file_name,
        "crumbs": [
            (resource.verbose_name_plural, resource.url("list")),
            (_("Import"), resource.url("import")),
            (plan.file_name, None),
        ],
    }
    part = (
        "generic/_import_plan.html" if is_htmx(request) else "generic/import_plan.html"
    )
    return render(request, part, context)


def _bad_rows(
    request: HttpRequest, plan: ImportPlan, resource: Resource
) -> HttpResponseBase:
    name = f"{resource.path}-import-{plan.pk}-bad-rows.csv"
    return stream(
        request,
        as_csv(plan),
        content_type="text/csv; charset=utf-8",
        file_name=name,
    )


def _state(plan: ImportPlan) -> tuple[str, Any]:
    state = STATES.get(ImportPlan.State(plan.state), "busy")
    if plan.state == ImportPlan.State.PLANNED and plan.hindrances:
        state = "warning"
    return state, plan.get_state_display()


def _counts(plan: ImportPlan) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind.value,
            "label": kind.label,
            "state": KIND_STATES[kind],
            "count": plan.counts.get(kind.value, 0),
        }
        for kind in ImportRow.Kind
    ]


def _drawn(request: HttpRequest, resource: Resource, row: ImportRow) -> dict[str, Any]:
    model = resource.model
    seen = [seen_change(request.user, model, change) for change in row.changes]
    return {
        "row": row,
        "state": KIND_STATES[ImportRow.Kind(row.kind)],
        "changes": drawn(model, seen),
        "url": resource.url("detail", row.target_id) if row.target_id else "",
    }


def _key_words(plan: ImportPlan, resource: Resource) -> str:
    names = plan.key.split(",") if plan.key else []
    titles = {f.name: str(f.verbose_name) for f in resource.model._meta.concrete_fields}
    return " + ".join(titles.get(name, name) for name in names)


def _undo_url(plan: ImportPlan) -> str:
    """Give the page that takes everything of the import's request back."""
    if plan.state != ImportPlan.State.APPLIED:
        return ""
    lines = AuditEntry.objects.filter(request_id=plan.request_id).exclude(target_id="")
    first = lines.order_by("pk").values_list("pk", flat=True).first()
    try:
        return reverse("request_revert", args=[first]) if first else ""
    except NoReverseMatch:
        return ""

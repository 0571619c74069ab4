"""The pages of a revert: its plan, the deed, and how far a long one is; and the object as it was on a day."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from adminset import audit
from adminset.crud import differences, revert_job
from adminset.crud.changes import TRAIL, lines_of
from adminset.crud.history import seen_change
from adminset.crud.plan import CONFLICT, STAYS, FieldStep, ObjectStep, Plan, make_plan
from adminset.crud.resource import resource_of
from adminset.crud.revert import ensure_possible, revert
from adminset.errors import DomainError, NotFound
from adminset.http import SIGNED_IN, ask_for_proof, is_htmx, needs_proof, requires
from adminset.models import AuditEntry
from adminset.querysets import scope_of
from adminset.tasks import enqueue_revert

# More objects than this are a worker's.
AT_ONCE = 200
# So many objects the page of a plan draws; those that stop it first.
DRAWN = 50


@requires(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def change_revert(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what taking one line of the trail back would do, and do it. Whether one may is asked for each object."""
    return _page(request, pk, whole=False)


@requires(SIGNED_IN)
@require_http_methods(["GET", "HEAD", "POST"])
def request_revert(request: HttpRequest, pk: int) -> HttpResponse:
    """The same for all lines of the line's request."""
    return _page(request, pk, whole=True)


def _page(request: HttpRequest, pk: int, *, whole: bool) -> HttpResponse:
    try:
        plan = make_plan(request.user, lines_of(request.user, pk, whole=whole))
    except NotFound as missing:
        raise Http404(missing.message) from missing
    if any(needs_proof(request, name) for name in plan.permissions):
        return ask_for_proof(request)
    error: DomainError | None = None
    try:
        ensure_possible(plan)
        if request.method == "POST":
            return _do(request, plan, pk, whole=whole)
    except DomainError as refused:
        error = refused
    context = {
        "plan": plan,
        "steps": _drawn(request.user, plan),
        "error": error,
        "whole": whole,
        "entry": next((e for e in plan.entries if e.pk == pk), plan.entries[0]),
        "opens": scope_of(request.user, TRAIL).everything,
        "back_url": _place(plan, pk),
        "page_title": _title(plan, whole=whole),
        "crumbs": _crumbs(plan, _title(plan, whole=whole)),
    }
    status = error.status if error and request.method == "POST" else 200
    return render(request, "generic/revert.html", context, status=status)


def _title(plan: Plan, *, whole: bool) -> str:
    if not whole:
        return _("Revert a change of %(name)s") % {"name": plan.entries[0].target_name}
    return _("Revert everything of a request")


def _crumbs(plan: Plan, title: str) -> list[tuple[Any, str | None]]:
    crumbs: list[tuple[Any, str | None]] = []
    if not plan.hidden and len(plan.steps) == 1:
        step = plan.steps[0]
        resource = step.net.resource
        crumbs.append((resource.verbose_name_plural, resource.url("list")))
        if step.instance is not None:
            url = resource.url("history", step.net.pk)
            crumbs.append((str(step.instance), url))
    return [*crumbs, (title, None)]


def _do(request: HttpRequest, plan: Plan, pk: int, *, whole: bool) -> HttpResponse:
    wanted: dict[str, Any] = {
        "pk": pk,
        "whole": whole,
        "reason": request.POST.get("reason", "").strip()[:200],
    }
    if len(plan.todo) > AT_ONCE:
        key = enqueue_revert(user=request.user, total=len(plan.todo), **wanted)
        return redirect("revert_progress", key)
    done = revert(user=request.user, **wanted)
    said = ngettext(
        "%(count)s object is as it was before.",
        "%(count)s objects are as they were before.",
        done.total,
    )
    messages.success(request, said % {"count": done.total})
    return redirect(_place(plan, pk))


def _place(plan: Plan, pk: int) -> str:
    """Give where to look at the result: the history of the object that it began with, or the list that it is gone from."""
    entry = next(each for each in plan.entries if each.pk == pk)
    resource = resource_of(entry.target_type)
    if resource is None:
        return reverse("home")
    key = int(entry.target_id)
    exists = resource.model._base_manager.filter(pk=key).exists()
    return resource.url("history", key) if exists else resource.url("list")


def _drawn(user: Any, plan: Plan) -> list[dict[str, Any]]:
    shown = [*plan.refused, *(step for step in plan.steps if not step.is_refused)]
    if plan.hidden:
        return []
    return [_draw(user, step) for step in shown[:DRAWN]]


def _draw(user: Any, step: ObjectStep) -> dict[str, Any]:
    resource, pk = step.net.resource, step.net.pk
    now = audit.snapshot(step.instance) if step.instance is not None else {}
    rows = [_row(user, step, each, now.get(each.name)) for each in step.fields]
    return {
        "step": step,
        "kind": resource.verbose_name,
        "name": str(step.instance or step.net.name),
        "url": resource.url("detail", pk) if step.instance is not None else "",
        "rows": [row for row in rows if row["drawn"]],
    }


def _row(user: Any, step: ObjectStep, each: FieldStep, now: Any) -> dict[str, Any]:
    """Say of a field what is now and what will be; what the user may not see is left out as in the history."""
    will = audit.MASK if each.state == STAYS else _will_be(step, each, now)
    change = {"field": each.name, "old": now, "new": will}
    if "old_id" in each.change:
        change |= {"old_id": getattr(now, "key", None), "new_id": each.change["old_id"]}
        if step.act == "delete":
            change["new_id"] = None
    seen = seen_change(user, step.net.resource.model, change)
    silent = differences.says_nothing(change if each.state != STAYS else each.change)
    return {
        "label": each.label,
        "state": each.state,
        "note": each.note,
        "later": each.later,
        "conflict": each.state == CONFLICT,
        "diff": differences.describe(seen),
        "drawn": not silent or each.state == CONFLICT,
    }


def _will_be(step: ObjectStep, each: FieldStep, now: Any) -> Any:
    if step.act == "delete":
        return None
    both = isinstance(each.value, dict) and isinstance(now, dict)
    return each.value if both else each.change.get("old")


@requires(SIGNED_IN)
@require_safe
def revert_progress(request: HttpRequest, key: str) -> HttpResponse:
    """Say how far a long revert is, to whoever asked for it."""
    job = revert_job.state_of(key, request.user)
    if job is None:
        raise Http404(_("There is no such job any more."))
    entry = AuditEntry.objects.filter(pk=job["pk"]).first()
    resource = resource_of(entry.target_type) if entry else None
    context = {
        "job": job,
        "list_url": resource.url("list") if resource else reverse("home"),
        "page_title": _("Revert"),
    }
    template = (
        "generic/_revert_progress.html"
        if is_htmx(request)
        else "generic/revert_progress.html"
    )
    return render(request, template, context)

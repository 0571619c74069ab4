"""Watching a run: its page, its output, and the card of the latest runs."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_safe,
)

from adminset.http import requires
from tasks import output
from tasks.feed import Feed, hosts_seen, sees_all
from tasks.models import Run, RunHost
from tasks.selectors import groups_of, latest_runs

FIRST_BYTES = 256 * 1024


def head(title: str) -> dict[str, Any]:
    return {
        "page_title": title,
        "crumbs": [(_("Runs"), reverse("tasks:run_list")), (title, None)],
    }


def find_run(request: HttpRequest, pk: int) -> Run:
    """Get a run that the user may see, else Http404."""
    run = (
        Run.objects.visible_to(request.user)
        .filter(pk=pk)
        .select_related("schedule", "playbook")
        .first()
    )
    if run is None:
        raise Http404(_("There is no such run."))
    return run


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 16 else None


@requires("tasks.view_run")
@require_safe
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a run: how it stands, its hosts by how they ended, the output; for htmx only what changes."""
    run = find_run(request, pk)
    seen = hosts_seen(request.user, run)
    groups = groups_of(seen)
    whole = run.kind != Run.Kind.COMMAND and sees_all(request.user, run)
    row = _open_host(seen, _number(request.GET.get("host")), whole=whole)
    context = head(str(run)) | {
        "run": run,
        "row": row,
        "whole": whole,
        "groups": groups,
        "hidden": run.host_count - sum(group.count for group in groups),
        "failed": any(group.status != RunHost.Status.OK for group in groups),
        "can_cancel": run.is_open
        and Run.objects.visible_to(request.user, "cancel").filter(pk=pk).exists(),
    }
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "tasks/_run_refresh.html", context)
    shown = _output_panel(run, row) if row or whole else None
    return render(request, "tasks/run_detail.html", context | {"output": shown})


def _open_host(
    seen: QuerySet[RunHost], asked: int | None, *, whole: bool
) -> RunHost | None:
    """Give the host whose output is open: the one asked for, else none, or (a command's) the first that will have some."""
    rows = seen.select_related("host")
    row = rows.filter(pk=asked).first() if asked else None
    if row is not None or whole:
        return row
    able = rows.exclude(status=RunHost.Status.UNREACHABLE).exclude(host__host_key="")
    return able.filter(host__credential__isnull=False).first() or rows.first()


def _output_panel(run: Run, row: RunHost | None) -> dict[str, Any]:
    """Give what the component of live output wants: of one host, or of the run as a whole."""
    host_id = row.pk if row else None
    piece = output.read(run.pk, host_id, 0, most=FIRST_BYTES, last=not run.is_open)
    query = f"?host={host_id}" if host_id else ""
    return {
        "ws": f"/ws/tasks/runs/{run.pk}/" + (f"hosts/{host_id}/" if host_id else ""),
        "url": reverse("tasks:run_output", args=[run.pk]) + query,
        "download_url": reverse("tasks:run_download", args=[run.pk]) + query,
        "live": run.is_open or piece.next_offset < output.size(run.pk, host_id),
        "text": piece.text,
        "offset": piece.next_offset,
    }


@requires("tasks.view_run")
@require_safe
def run_output(request: HttpRequest, pk: int) -> JsonResponse:
    """Give what is new since `?offset=` (bytes) of one host's output (`?host=`), or of the run's as a whole."""
    find_run(request, pk)
    feed = Feed(
        request.user,
        pk,
        _number(request.GET.get("host")),
        _number(request.GET.get("offset")) or 0,
    )
    found = feed.read() or []
    return JsonResponse({"messages": found, "offset": feed.offset, "ended": feed.ended})


@requires("tasks.view_run")
@require_safe
def run_download(request: HttpRequest, pk: int) -> HttpResponse:
    """Give an output as a file."""
    run = find_run(request, pk)
    host_id = _number(request.GET.get("host"))
    row = hosts_seen(request.user, run).filter(pk=host_id).first() if host_id else None
    path = output.path_of(pk, host_id)
    if (
        row is None and (host_id or not sees_all(request.user, run))
    ) or not path.exists():
        raise Http404(_("There is no such output."))
    name = f"run-{pk}-{row.host_name}.log" if row else f"run-{pk}.log"
    return FileResponse(  # type: ignore[return-value]
        path.open("rb"),
        as_attachment=True,
        filename=name,
        content_type="text/plain; charset=utf-8",
    )


@requires("tasks.view_run")
@require_safe
def card(request: HttpRequest) -> HttpResponse:
    """Draw the card of the home page: the latest runs."""
    rows = [
        {
            "title": run.title,
            "url": run.get_absolute_url(),
            "state": run.state,
            "state_label": run.label,
            "when": run.created_at,
            "text": f"{run.ok_count}/{run.host_count}",
        }
        for run in latest_runs(request.user)
    ]
    empty = _("Nothing has run yet.")
    context = {
        "rows": rows,
        "more_url": reverse("tasks:run_list"),
        "more_title": _("All runs"),
        "empty": empty,
    }
    return render(request, "components/_card.html", context)

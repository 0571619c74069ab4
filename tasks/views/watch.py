"""Watching a run: its page, its output, and the card of the latest runs."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_safe,
)

from adminset.http import requires
from adminset.streams import stream
from adminset.texts import number_of
from tasks import output
from tasks.feed import Feed, hosts_seen, sees_all
from tasks.legs.subjects import program_of
from tasks.models import Run
from tasks.selectors import latest_runs
from tasks.sites.receiving import receive
from tasks.watching import packing
from tasks.watching.page import context_of, hosts_context
from tasks.watching.panel import panel_of


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
    # Its page, its output and the download read what workers elsewhere sent.
    receive(pk)
    return run


@requires("tasks.view_run")
@require_safe
def run_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a run: how it stands, its hosts by how they ended, the output; for htmx only what changes."""
    run = find_run(request, pk)
    context = head(str(run)) | context_of(request, run)
    if request.htmx:  # type: ignore[attr-defined]
        return render(request, "tasks/_run_refresh.html", context)
    row = context["row"]
    context |= hosts_context(request, run) | {
        "output": panel_of(run, row) if row or context["whole"] else None,
        "program": program_of(request.user, run),
    }
    return render(request, "tasks/run_detail.html", context)


@requires("tasks.view_run")
@require_safe
def run_output(request: HttpRequest, pk: int) -> JsonResponse:
    """Give what is new since `?offset=` (bytes) of one host's output (`?host=`), or of the run's as a whole."""
    find_run(request, pk)
    feed = Feed(
        request.user,
        pk,
        number_of(request.GET.get("host")),
        number_of(request.GET.get("offset")) or 0,
        skips="skip" in request.GET,
    )
    found = feed.read() or []
    return JsonResponse({"messages": found, "offset": feed.offset, "ended": feed.ended})


@requires("tasks.view_run")
@require_safe
def run_download(request: HttpRequest, pk: int) -> HttpResponse:
    """Give an output as a file."""
    run = find_run(request, pk)
    host_id = number_of(request.GET.get("host"))
    row = hosts_seen(request.user, run).filter(pk=host_id).first() if host_id else None
    path = output.path_of(pk, host_id)
    if (
        row is None and (host_id or not sees_all(request.user, run))
    ) or not path.exists():
        raise Http404(_("There is no such output."))
    answer = stream(
        request,
        packing.parts_of(path),
        content_type="text/plain; charset=utf-8",
        file_name=packing.file_name(pk, row.host_name if row else ""),
    )
    # Whatever a host printed is text, and never a page of ours.
    answer["X-Content-Type-Options"] = "nosniff"
    return answer  # type: ignore[return-value]


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

"""Looking into the output of runs: pages of hosts, ranges, searches, downloads, comparisons."""

from dataclasses import asdict
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from adminset.http import requires
from adminset.streams import stream
from adminset.texts import number_of
from tasks import output
from tasks.feed import hosts_seen, sees_all
from tasks.models import Run, RunHost
from tasks.services.execute import TOGETHER
from tasks.views.watch import find_run, head
from tasks.watching import packing
from tasks.watching.comparing import diff_of, pairs_of, tally
from tasks.watching.page import hosts_context
from tasks.watching.panel import panel_of
from tasks.watching.same_work import former_runs
from tasks.watching.searching import Place, hosts_that_say, search, wanted_of

PAIRS_PER_PAGE = 50
FORMER_OFFERED = 20


def readable(request: HttpRequest, run: Run) -> RunHost | None:
    """Give the host of `?host=` whose output the user may read, or None for the run's as a whole.

    Raises:
        Http404: it is none of the hosts that the user sees; the whole is asked for by who does not see all.
    """
    asked = request.GET.get("host")
    if not asked and sees_all(request.user, run):
        return None
    seen = hosts_seen(request.user, run)
    row = seen.filter(pk=number_of(asked) or 0).select_related("host").first()
    if row is None:
        raise Http404(_("There is no such output."))
    return row


@requires("tasks.view_run")
@require_safe
def run_hosts(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a page of the hosts of a run, narrowed by status, exit code, output and name."""
    run = find_run(request, pk)
    return render(request, "tasks/_run_host_list.html", hosts_context(request, run))


@requires("tasks.view_run")
@require_safe
def run_panel(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the panel with the output of one host, or of the run as a whole."""
    run = find_run(request, pk)
    row = readable(request, run)
    whole = run.kind in TOGETHER and sees_all(request.user, run)
    panel = panel_of(run, row)
    context = {"run": run, "row": row, "whole": whole, "output": panel}
    context["stored"] = panel["stored"]
    return render(request, "tasks/_run_panel.html", context)


@requires("tasks.view_run")
@require_safe
def run_range(request: HttpRequest, pk: int) -> JsonResponse:
    """Give a piece of an output: `?from=` a byte, `?before=` one, or `?at=` one (from where its line begins)."""
    run = find_run(request, pk)
    row = readable(request, run)
    host_id = row.pk if row else None
    before = number_of(request.GET.get("before"))
    if before is not None:
        piece = output.read_before(pk, host_id, before)
    else:
        at = number_of(request.GET.get("at"))
        begin = number_of(request.GET.get("from")) or 0
        begin = begin if at is None else output.line_start(pk, host_id, at)
        piece = output.read(pk, host_id, begin, last=not run.is_open)
    return JsonResponse(
        {
            "offset": piece.offset,
            "next": piece.next_offset,
            "size": output.size(pk, host_id),
            "text": piece.text,
        }
    )


@requires("tasks.view_run")
@require_safe
def run_search(request: HttpRequest, pk: int) -> JsonResponse:
    """Find lines of one output that have `?q=`; `offset` and `line` go on where the answer's `next` says."""
    run = find_run(request, pk)
    row = readable(request, run)
    host_id = row.pk if row else None
    wanted = wanted_of(request.GET.get("q", ""))
    offset = number_of(request.GET.get("offset")) or 0
    place = Place(offset, number_of(request.GET.get("line")) or 1)
    size = output.size(pk, host_id)
    if not wanted:
        return JsonResponse({"hits": [], "next": None, "size": size})
    found = search(pk, host_id, wanted, place)
    return JsonResponse(
        {
            "hits": [asdict(hit) for hit in found.hits],
            "next": asdict(found.place) if found.place else None,
            "size": size,
        }
    )


@requires("tasks.view_run")
@require_safe
def run_found(request: HttpRequest, pk: int) -> HttpResponse:
    """Say which hosts of a run have `?q=` in their output; each answer looks for a moment and leads on to the next."""
    run = find_run(request, pk)
    wanted = wanted_of(request.GET.get("q", ""))
    after = number_of(request.GET.get("after")) or 0
    seen = hosts_seen(request.user, run).order_by("pk")
    rows = seen.filter(pk__gt=after, stored_bytes__gt=0) | seen.filter(
        pk__gt=after, status=RunHost.Status.RUNNING
    )
    asked = rows.defer("explanation") if wanted else rows.none()
    saying, looked, last = hosts_that_say(asked, wanted)
    context = {
        "run": run,
        "wanted": wanted,
        "saying": saying,
        "last": last,
        "looked": looked + (number_of(request.GET.get("looked")) or 0),
        "count": len(saying) + (number_of(request.GET.get("count")) or 0),
        "total": rows.count() + (number_of(request.GET.get("looked")) or 0),
        "is_first": not after,
    }
    return render(request, "tasks/_run_found.html", context)


@requires("tasks.view_run")
@require_safe
def run_archive(request: HttpRequest, pk: int) -> HttpResponse:
    """Give the outputs of all hosts that the user sees as one .tar.gz."""
    run = find_run(request, pk)
    whole = sees_all(request.user, run)
    rows = hosts_seen(request.user, run).defer("explanation").order_by("pk")
    answer = stream(
        request,
        packing.archive(pk, rows, whole=whole),
        content_type="application/gzip",
        file_name=f"run-{pk}.tar.gz",
    )
    answer["X-Content-Type-Options"] = "nosniff"
    return answer  # type: ignore[return-value]


def _other(request: HttpRequest, run: Run) -> Run | None:
    """Give the run to compare with: the one asked for (404 where it cannot be seen), else the former of the same work."""
    asked = request.GET.get("with")
    if asked:
        return find_run(request, number_of(asked.lstrip("#")) or 0)
    return former_runs(request.user, run).first()


@requires("tasks.view_run")
@require_safe
def run_compare(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the hosts of two runs side by side."""
    run = find_run(request, pk)
    other = _other(request, run)
    pairs = pairs_of(request.user, other, run) if other else []
    every = request.GET.get("show") == "all"
    shown = pairs if every else [pair for pair in pairs if not pair.is_same]
    context = head(_("Compare")) | {
        "run": run,
        "other": other,
        "tally": tally(pairs),
        "page": Paginator(shown, PAIRS_PER_PAGE).get_page(request.GET.get("page")),
        "every": every,
        "former": former_runs(request.user, run)[:FORMER_OFFERED],
        "crumbs": _crumbs(run, _("Compare")),
    }
    return render(request, "tasks/run_compare.html", context)


@requires("tasks.view_run")
@require_safe
def run_diff(request: HttpRequest, pk: int) -> HttpResponse:
    """Compare line by line what one host printed in two runs."""
    run = find_run(request, pk)
    other = _other(request, run)
    row = readable(request, run)
    if row is None or other is None:
        return redirect("tasks:run_compare", pk)
    rows = hosts_seen(request.user, other)
    same = {"host": row.host_id} if row.host_id else {"host_name": row.host_name}
    then = rows.filter(**same).first()
    if then is None:
        raise Http404(_("The host was not in that run."))
    file, cut = diff_of(then, row)
    context: dict[str, Any] = head(str(row)) | {
        "run": run,
        "other": other,
        "row": row,
        "then": then,
        "file": file,
        "cut": cut,
        "crumbs": _crumbs(run, str(row)),
    }
    return render(request, "tasks/run_diff.html", context)


def _crumbs(run: Run, title: str) -> list[tuple[str, str | None]]:
    return [
        (_("Runs"), reverse("tasks:run_list")),
        (str(run), run.get_absolute_url()),
        (title, None),
    ]

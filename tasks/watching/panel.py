"""What the live output of a page wants to know: of one host of a run, or of the run as a whole."""

import json
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from tasks import output
from tasks.models import Run, RunHost
from tasks.output_text import plain
from tasks.watching.completeness import stored_words

# What a page brings along; the rest is asked for piece by piece.
FIRST_BYTES = 64 * 1024


def open_host(
    seen: QuerySet[RunHost], asked: int | None, *, whole: bool
) -> RunHost | None:
    """Give the host whose output is open: the one asked for, else none, or (a command's) the first that will have some."""
    rows = seen.select_related("host")
    row = rows.filter(pk=asked).first() if asked else None
    if row is not None or whole:
        return row
    # Where something went wrong one wants to look first.
    bad = rows.filter(status__in=(RunHost.Status.FAILED, RunHost.Status.TIMED_OUT))
    able = rows.exclude(status=RunHost.Status.UNREACHABLE).exclude(host__host_key="")
    reached = able.filter(host__credential__isnull=False)
    return bad.first() or reached.first() or rows.first()


def panel_of(run: Run, row: RunHost | None) -> dict[str, Any]:
    """Give what components/_run_output.html wants: the newest part, and where the rest can be asked for."""
    host_id = row.pk if row else None
    size = output.size(run.pk, host_id)
    piece = output.read_before(run.pk, host_id, size, most=FIRST_BYTES)
    if piece.offset == 0:
        last = not run.is_open
        piece = output.read(run.pk, host_id, 0, most=2 * FIRST_BYTES, last=last)
    query = f"?host={host_id}" if host_id else ""

    def address(name: str) -> str:
        return reverse(f"tasks:{name}", args=[run.pk]) + query

    return {
        "ws": f"/ws/tasks/runs/{run.pk}/" + (f"hosts/{host_id}/" if host_id else ""),
        "url": address("run_output"),
        "range_url": address("run_range"),
        "search_url": address("run_search"),
        "download_url": address("run_download"),
        "live": run.is_open or piece.next_offset < size,
        "text": plain(piece.text),
        # HTML knows no carriage return: the text as it is goes as JSON.
        "first": json.dumps(piece.text),
        "start": piece.offset,
        "offset": piece.next_offset,
        "size": size,
        "stored": stored_words(run, row),
    }

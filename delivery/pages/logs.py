"""What a step of a deploy prints: of a leg on one host, of a build; followed by byte offset as the output of runs."""

import json
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from adminset.querysets import everywhere
from cmdb.models import Host
from delivery.building import log
from delivery.models import Build, Deploy, DeployStep
from delivery.selectors import hosts_seen
from tasks.feed import PIECES_AT_ONCE
from tasks.feed import hosts_seen as run_hosts_seen
from tasks.models import Run, RunHost
from tasks.output_text import plain
from tasks.sites.receiving import receive
from tasks.watching.panel import open_host, panel_of

# Hosts that the panel offers to turn to.
MOST_OFFERED = 200
# What a page brings along of a build's output; the rest is asked for piece by piece.
FIRST_BYTES = 256 * 1024


def panel_context(
    user: Any,
    deploy: Deploy,
    step: DeployStep | None,
    host_id: int | None = None,
    row_id: int | None = None,
) -> dict[str, Any]:
    """Give what the panel shows: the output of a step, of a leg on one host.

    Args:
        host_id, row_id: the host, as one of the deploy (DeployHost) or of the leg (RunHost); neither: where to look first.
    """
    context: dict[str, Any] = {"deploy": deploy, "step": step, "output": None}
    if step is None:
        return context
    if step.build is not None:
        return context | {"output": build_panel(step.build)}
    run = Run.objects.visible_to(user).filter(pk=step.run_id or 0).first()
    if run is None:
        return context | {"is_hidden": bool(step.run_id)}
    receive(run.pk)
    seen = _hosts_of(user, run)
    asked = row_id or _row_of(user, deploy, run, host_id)
    row = open_host(seen, asked, whole=False)
    offered = seen.order_by("host_name").only("pk", "host_name", "status", "host")
    return context | {
        "run": run,
        "row": row,
        "rows": list(offered[:MOST_OFFERED]),
        "output": panel_of(run, row) if row else None,
    }


def _row_of(user: Any, deploy: Deploy, run: Run, host_id: int | None) -> int | None:
    """Find the host of a deploy among the hosts of a leg."""
    if host_id is None:
        return None
    hosts = hosts_seen(user, deploy).filter(pk=host_id).values("host")
    row = _hosts_of(user, run).filter(host__in=hosts).first()
    return row.pk if row else None


def _hosts_of(user: Any, run: Run) -> QuerySet[RunHost]:
    """Give the hosts of a leg that the user may see as hosts, too: whoever asked for a run sees all of its hosts there."""
    rows = run_hosts_seen(user, run)
    if everywhere(user, "cmdb.view_host"):
        return rows
    return rows.filter(host__in=Host.objects.visible_to(user))


def build_panel(build: Build) -> dict[str, Any]:
    """Give what components/_run_output.html wants of a build: what it printed so far, and where the rest is asked for."""
    piece = log.read(build.pk, 0, most=FIRST_BYTES, last=not build.is_open)
    return {
        "ws": "",
        "url": reverse("delivery:build_output", args=[build.pk]),
        "live": True,
        "text": plain(piece.text),
        "first": json.dumps(piece.text),
        "start": 0,
        "offset": piece.next_offset,
        "size": log.size(build.pk),
    }


def build_messages(build: Build, offset: int) -> dict[str, Any]:
    """Give what a build printed from a byte on, as live output takes it; the end once all is read."""
    # First the status, then the file: a build that has ended has written all.
    ended = not build.is_open
    found: list[dict[str, Any]] = []
    for _number in range(PIECES_AT_ONCE):
        piece = log.read(build.pk, offset, last=ended)
        if not piece.text:
            break
        offset = piece.next_offset
        told = {"offset": piece.offset, "next": offset, "text": piece.text}
        found.append({"type": "output", **told})
    over = ended and len(found) < PIECES_AT_ONCE
    if over:
        badge = build.badge
        told = {"status": badge["state"], "label": str(badge["label"])}
        found.append({"type": "end", "word": build.status, **told})
    return {"messages": found, "offset": offset, "ended": over}

"""Who is not measured as he should be: in use but silent, in use and never heard of, retired but still reporting, not kept whole."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_safe

from adminset.http import requires
from cmdb.models import Host
from monitor import selectors
from monitor.losses import Loss, hosts_with_losses, losses_of_many
from monitor.metric_store import store
from monitor.store import StoreUnavailable

PAGE_SIZE = 50
CHUNK = 1000
# A host without a status is in use until somebody says otherwise.
IN_USE = Q(status=None) | Q(status__monitored=True)
LEFT_OUT = "left_out"
KINDS = {
    "silent": (
        _lazy("In use, but silent"),
        _lazy(
            "These hosts should report and have stopped. Look at the agent: its service, the network between it and the portal, its clock."
        ),
    ),
    "never": (
        _lazy("In use, never reported"),
        _lazy(
            "No measurement ever came from these hosts. Install an agent, or give them a status that expects none."
        ),
    ),
    "retired": (
        _lazy("Reports, but retired"),
        _lazy(
            "By their status these hosts expect no agent, yet they report. Set the status right, or stop the agent."
        ),
    ),
    LEFT_OUT: (
        _lazy("Something left out"),
        _lazy(
            "Something of the reports of these hosts was not kept, or their clock is put right. Each line says by which limit."
        ),
    ),
}


@dataclass(frozen=True)
class Row:
    """A host that is not measured as it should be, when it last was, and what of its reports was left out."""

    host: Host
    seen_at: datetime | None
    losses: Sequence[Loss] = ()


@requires(selectors.PERMISSION)
@require_safe
def coverage(request: HttpRequest) -> HttpResponse:
    """Show one kind of such hosts, and how many there are of each."""
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else "silent"
    title, advice = KINDS[kind]
    context: dict[str, Any] = {
        "page_title": _("Coverage"),
        "kind": kind,
        "kind_title": title,
        "advice": advice,
    }
    hosts = selectors.watched_hosts(request.user)
    try:
        seen = last_seen(hosts)
        found = {each: keys_of(each, hosts, seen) for each in KINDS}
        page, rows = _page(hosts, found[kind], seen, request.GET.get("page", "1"))
        rows = with_losses(rows) if kind == LEFT_OUT else rows
    except StoreUnavailable as error:
        return render(request, "monitor/coverage.html", context | {"error": error})
    context |= {
        "tabs": [
            {
                "title": KINDS[each][0],
                "url": f"{reverse('monitor:coverage')}?kind={each}",
                "active": each == kind,
                "count": len(found[each]),
            }
            for each in KINDS
        ],
        "page": page,
        "rows": rows,
        "total": hosts.count(),
        "reporting": sum(1 for moment in seen.values() if not is_silent(moment)),
    }
    return render(request, "monitor/coverage.html", context)


def last_seen(hosts: QuerySet[Host]) -> dict[int, float]:
    """Give host id -> Unix seconds of its newest sample; hosts that never sent are missing.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    keys = list(hosts.order_by("pk").values_list("pk", flat=True))
    found: dict[int, float] = {}
    for start in range(0, len(keys), CHUNK):
        found |= store().last_seen(keys[start : start + CHUNK])
    return found


def keys_of(kind: str, hosts: QuerySet[Host], seen: Mapping[int, float]) -> list[int]:
    """Give the keys of hosts of a kind, by name.

    Raises:
        StoreUnavailable: the metric store is away.
    """
    if kind == LEFT_OUT:
        lossy = hosts_with_losses()
        named = hosts.order_by("hostname", "pk").values_list("pk", flat=True)
        return [key for key in named if key in lossy] if lossy else []
    rows = hosts.exclude(IN_USE) if kind == "retired" else hosts.filter(IN_USE)
    keys = rows.order_by("hostname", "pk").values_list("pk", flat=True)
    if kind == "never":
        return [key for key in keys if key not in seen]
    silent = kind == "silent"
    return [key for key in keys if key in seen and is_silent(seen[key]) is silent]


def with_losses(rows: Sequence[Row]) -> list[Row]:
    """Give rows with what of the reports of their hosts was left out."""
    found = losses_of_many(row.host for row in rows)
    return [replace(row, losses=found.get(row.host.pk, ())) for row in rows]


def is_silent(moment: float) -> bool:
    """Say whether a host whose newest sample is of this moment has fallen silent."""
    return time.time() - moment > settings.AGENT_SILENT_SECONDS


def _page(
    hosts: QuerySet[Host], keys: list[int], seen: Mapping[int, float], number: str
) -> tuple[Page[Any], list[Row]]:
    page = Paginator(keys, PAGE_SIZE).get_page(number)
    shown = list(page.object_list)
    rows = hosts.select_related("status", "agent").in_bulk(shown)
    listed = [
        Row(
            rows[key],
            datetime.fromtimestamp(seen[key], UTC) if key in seen else None,
        )
        for key in shown
        if key in rows
    ]
    return page, listed

"""What the page of a run shows: counts, groups, a page of its hosts, what may be done with it."""

from dataclasses import dataclass, replace
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from adminset.texts import number_of
from tasks.feed import hosts_seen, sees_all
from tasks.legs.subjects import whose
from tasks.models import Run, RunHost
from tasks.services.execute import TOGETHER
from tasks.services.launch import CHOICES
from tasks.services.waiting import why_waiting
from tasks.watching.completeness import stored_words
from tasks.watching.grouping import Group, counts_by_status, groups_of, narrowed
from tasks.watching.late import explained
from tasks.watching.panel import open_host
from tasks.watching.same_work import time_left, usual_duration

HOSTS_PER_PAGE = 50
NARROWING = ("status", "exit", "output", "name")
CHOICE_WORDS = {
    "failed": _("failed"),
    "unreachable": _("unreachable"),
    "timed_out": _("timed out"),
    "unknown": _("unknown"),
    "not_started": _("not started, skipped or cancelled"),
}


@dataclass(frozen=True)
class Segment:
    """A part of the bar of a run, in thousandths."""

    state: str
    begin: str
    width: str
    label: str


def context_of(request: HttpRequest, run: Run) -> dict[str, Any]:
    """Give what stands on the page of a run and is read again while it goes on."""
    user: Any = request.user
    seen = hosts_seen(user, run)
    groups = groups_of(seen)
    whole = run.kind in TOGETHER and sees_all(user, run)
    row = open_host(seen, number_of(request.GET.get("host")), whole=whole)
    counts = counts_of(seen, groups)
    total = sum(one.count for one in counts)
    usual = usual_duration(user, run) if run.is_open else None
    return {
        "run": run,
        "whose": whose(user, run) if run.is_leg else None,
        "row": row,
        "whole": whole,
        "stored": stored_words(run, row) if row or whole else "",
        "groups": groups,
        "counts": counts,
        "segments": segments_of(counts, total),
        "total": total,
        "done": sum(one.count for one in counts if one.status not in RunHost.OPEN),
        "hidden": run.host_count - total,
        "failed": any(one.status != RunHost.Status.OK for one in counts),
        "choices": choices_of(counts),
        "can_control": run.is_open and may(user, run, "control"),
        "can_cancel": run.is_open and may(user, run, "cancel"),
        "explanation": explained(user, run),
        "waits": why_waiting(run),
        "usual": usual,
        "left": time_left(run, usual),
    }


def counts_of(seen: QuerySet[RunHost], groups: list[Group]) -> list[Group]:
    """Count the hosts that the run is for by status; those outside its limit stand among the groups only."""
    counts = counts_by_status(groups)
    skipped = RunHost.Status.SKIPPED
    if all(one.status != skipped for one in counts):
        return counts
    outside = seen.filter(limit=RunHost.OUTSIDE).count()
    found = [
        replace(one, count=one.count - outside) if one.status == skipped else one
        for one in counts
    ]
    return [one for one in found if one.count]


def may(user: Any, run: Run, action: str) -> bool:
    """Say whether a user may do something to a run."""
    return Run.objects.visible_to(user, action).filter(pk=run.pk).exists()


def segments_of(counts: list[Group], total: int) -> list[Segment]:
    """Draw the counts as parts of a bar."""
    found: list[Segment] = []
    begin = 0.0
    for one in counts:
        width = 1000 * one.count / max(total, 1)
        label = f"{one.count} {one.label}"
        found.append(Segment(one.state, f"{begin:.2f}", f"{width:.2f}", label))
        begin += width
    return found


def choices_of(counts: list[Group]) -> list[tuple[str, Any, int]]:
    """Give which hosts can be tried again: word of the choice, words for people, how many hosts; without empty ones."""
    by_status = {one.status: one.count for one in counts}
    found = [
        (name, words, sum(by_status.get(status, 0) for status in CHOICES[name]))
        for name, words in CHOICE_WORDS.items()
    ]
    return [one for one in found if one[2]]


def hosts_context(request: HttpRequest, run: Run) -> dict[str, Any]:
    """Give one page of a run's hosts, narrowed by the address."""
    rows = narrowed(hosts_seen(request.user, run), request.GET)
    rows = rows.defer("explanation").order_by("host_name", "pk")
    page: Page = Paginator(rows, HOSTS_PER_PAGE).get_page(request.GET.get("page"))
    query = QueryDict(mutable=True)
    for name in NARROWING:
        if value := request.GET.get(name):
            query[name] = value
    return {
        "run": run,
        "page": page,
        "narrow": query.urlencode(),
        "asked": query,
        "statuses": RunHost.Status.choices,
    }

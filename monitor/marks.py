"""What happened to hosts while they were measured: lines on their charts, each with a link to what it was."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from adminset.crud.history import without_verbs
from adminset.models import AuditEntry
from cmdb.models import Host
from monitor.ranges import Span
from tasks.models import RunHost

# Of each kind, the newest: more lines than these would hide what they stand on.
MOST = 40
# What an agent reports of itself all the time says little about what was done to a host.
QUIET = ("host.report",)


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that happened.

    Attributes:
        time: Unix seconds.
        kind: "run", "change"; other rooms have their own ("deploy", "rollback", "alert").
        icon: name of a Font Awesome icon.
    """

    time: float
    kind: str
    icon: str
    title: str
    url: str

    @property
    def at(self) -> datetime:
        """The moment."""
        return datetime.fromtimestamp(self.time, UTC)

    def as_json(self) -> dict[str, Any]:
        """Give it as charts.js draws it."""
        return {
            "time": round(self.time * 1000),
            "kind": self.kind,
            "title": self.title,
            "url": self.url,
        }


# (reader, host, stretch) -> what the reader may know of it, newest first, `MOST` at most.
Source = Callable[[Any, Host, Span], Iterable[Mark]]


def marks_of(user: Any, host: Host, span: Span) -> list[Mark]:
    """List what happened to a host in a stretch of time, as far as the reader may know of it, oldest first."""
    found = [mark for source in sources for mark in source(user, host, span)]
    return sorted(found, key=lambda mark: mark.time)


# (reader, ids of hosts that the reader may look at, stretch) -> as a Source.
ManySource = Callable[[Any, Collection[int], Span], Iterable[Mark]]


def marks_of_many(
    user: Any, host_ids: Collection[int], span: Span
) -> list[dict[str, Any]]:
    """Give what happened to any of some hosts, as charts.js draws it, oldest first: only what changes an application.

    Runs and changes of each of many hosts would hide the lines that they stand on.

    Args:
        host_ids: hosts that the reader may look at.
    """
    if not host_ids:
        return []
    found = [mark for source in many_sources for mark in source(user, host_ids, span)]
    return [mark.as_json() for mark in sorted(found, key=lambda mark: mark.time)]


def runs(user: Any, host: Host, span: Span) -> Iterator[Mark]:
    """Give the runs that began on the host."""
    rows = RunHost.objects.visible_to(user).filter(
        host=host, run__started_at__range=_ends(span)
    )
    for row in rows.select_related("run").order_by("-run__started_at")[:MOST]:
        began = row.run.started_at
        yield Mark(
            began.timestamp() if began else span.start,
            "run",
            "play",
            _("Run: %(title)s") % {"title": row.run.title},
            reverse("tasks:run_detail", args=[row.run_id]),
        )


def changes(user: Any, host: Host, span: Span) -> Iterator[Mark]:
    """Give the lines of the trail about the host, for those who may read its history."""
    if not Host.objects.visible_to(user).filter(pk=host.pk).exists():
        return
    lines = AuditEntry.objects.filter(
        target_type="cmdb.host", target_id=str(host.pk), at__range=_ends(span)
    )
    url = reverse("cmdb:host_history", args=[host.pk])
    for line in without_verbs(lines, QUIET).order_by("-at")[:MOST]:
        title = f"{line.actor_name} {line.what}"
        yield Mark(line.at.timestamp(), "change", "pen", title, url)


def _ends(span: Span) -> tuple[datetime, datetime]:
    return (
        datetime.fromtimestamp(span.start, UTC),
        datetime.fromtimestamp(span.end, UTC),
    )


# Rooms above and other parts of this one add theirs in ready().
sources: list[Source] = [runs, changes]
many_sources: list[ManySource] = []

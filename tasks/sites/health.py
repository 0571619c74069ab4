"""How the sites do: workers, queues, runs, jump hosts, each with a word, a colour and a sentence."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import redis
from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset import redis_door
from cmdb.models import Host
from tasks.models import Run, RunHost, RunPart, Site
from tasks.services.waiting import ASKED, why_part, workers_by_queue
from tasks.sites.signs import absence_words
from tasks.ssh.breakers import Tripped, breakers

Status = RunPart.Status
BAD = (
    RunHost.Status.FAILED,
    RunHost.Status.UNREACHABLE,
    RunHost.Status.TIMED_OUT,
    RunHost.Status.UNKNOWN,
)


@dataclass(frozen=True)
class Health:
    """How a site does at this moment.

    Attributes:
        state, label: colour and word. words: why, in a sentence; "" where there is nothing to say.
        length: messages in its queue; None where Redis is away, or it has no queue.
        going, waiting: shares of runs that its workers have in hand, and that wait for them.
        open_breakers: worker processes that leave its jump host alone now.
    """

    state: str
    label: str
    words: str = ""
    workers: list[str] = field(default_factory=list)
    seen_at: datetime | None = None
    length: int | None = None
    going: int = 0
    waiting: int = 0
    open_breakers: list[Tripped] = field(default_factory=list)


def health_of(sites: Iterable[Site]) -> dict[int, Health]:
    """Say how sites do, by their ids; the number of questions to the database does not grow with them."""
    listed = list(sites)
    queues = [site.queue for site in listed if site.has_queue]
    counts, workers = _counts(queues), workers_by_queue(queues)
    tripped = breakers() if any(site.jump_id for site in listed) else []
    asked = bool(redis_door.noted(ASKED))
    return {
        site.pk: _workers_health(site, counts, workers[site.queue], tripped, asked)
        if site.has_queue
        else _plain_health(site, tripped)
        for site in listed
    }


def with_jumps(sites: QuerySet) -> QuerySet:
    """Bring along what a site's health is told by."""
    return sites.select_related("idc", "other__idc", "jump__credential")


def sites_of(user: Any, action: str = "view") -> QuerySet:
    """Give the sites on which a user may do something."""
    return with_jumps(Site.objects.visible_to(user, action))


def _counts(queues: list[str]) -> dict[tuple[str, str], int]:
    parts = RunPart.objects.filter(queue__in=queues, status__in=RunPart.OPEN)
    rows = parts.order_by().values_list("queue", "status").annotate(Count("pk"))
    return {(queue, status): count for queue, status, count in rows}


def _workers_health(
    site: Site,
    counts: dict[tuple[str, str], int],
    workers: list[str],
    tripped: list[Tripped],
    asked: bool,
) -> Health:
    going = counts.get((site.queue, Status.RUNNING), 0)
    waiting = sum(
        counts.get((site.queue, status), 0)
        for status in (Status.QUEUED, Status.WAITING)
    )
    if workers:
        words = ngettext("%(count)s worker", "%(count)s workers", len(workers))
        state, label, why = (
            "busy" if going else "ok",
            words % {"count": len(workers)},
            "",
        )
    elif asked:
        state, label, why = "danger", _("no worker"), absence_words(site)
    else:
        state, label = "idle", _("not known")
        why = _(
            "Nobody has looked for its workers of late: the portal's own worker or Redis is away."
        )
    return Health(
        state,
        label,
        why,
        workers,
        timezone.now() if workers else site.seen_at,
        _length(site.queue) if asked else None,
        going,
        waiting,
        tripped_for(site.jump, tripped),
    )


def _plain_health(site: Site, tripped: list[Tripped]) -> Health:
    if not site.enabled:
        return Health("idle", _("not in use"))
    if site.how == Site.How.DIRECT:
        return Health("ok", _("reached directly"))
    jump = site.jump
    found = tripped_for(jump, tripped)
    if found:
        left = max(round(max(one.until for one in found) - time.time()), 1)
        words = _("The jump host is left alone for another %(seconds)s s: %(why)s")
        told = words % {"seconds": left, "why": found[0].words}
        label = _("jump host away")
        return Health("danger", label, told, open_breakers=found)
    if missing := _missing(jump):
        return Health("warning", _("jump host not ready"), missing)
    return Health("ok", _("through its jump host"))


def _missing(jump: Host | None) -> str:
    """Say what a jump host lacks."""
    if jump is None:
        return _("No jump host is chosen.")
    lacks = {
        _("no management address"): not jump.address,
        _("no credential"): jump.credential_id is None,
        _("no accepted key"): not jump.host_key,
    }
    names = ", ".join(name for name, is_so in lacks.items() if is_so)
    words = _("%(jump)s has %(names)s: open its page.")
    return words % {"jump": jump, "names": names} if names else ""


def tripped_for(jump: Host | None, tripped: list[Tripped]) -> list[Tripped]:
    """Keep the breakers of one jump host."""
    if jump is None or jump.credential is None:
        return []
    way = (jump.address, jump.port, jump.credential.username)
    return [one for one in tripped if (one.address, one.port, one.user) == way]


def _length(queue: str) -> int | None:
    try:
        return redis_door.waiting(queue)
    except redis.RedisError:
        return None


def with_last_failure(sites: QuerySet, user: Any) -> QuerySet:
    """Bring along when a run last ended badly on a host of each site, of what the user may see (`last_failed_at`)."""
    bad = RunHost.objects.visible_to(user).filter(status__in=BAD)
    of_site = bad.filter(host__idc=OuterRef("idc")).order_by().values("host__idc")
    newest = of_site.annotate(last=Max("ended_at")).values("last")
    return sites.annotate(last_failed_at=Subquery(newest))


def failures_of(user: Any, site: Site, count: int = 10) -> list[RunHost]:
    """Give the newest bad ends on hosts of a site that the user may see."""
    rows = RunHost.objects.visible_to(user).filter(host__idc=site.idc, status__in=BAD)
    rows = rows.select_related("run").defer("run__playbook_text")
    return list(rows.order_by("-ended_at", "-pk")[:count])


@dataclass(frozen=True)
class Share:
    """A share of a run at a site's queue: what it waits for, in a sentence."""

    part: RunPart
    state: str
    label: str
    words: str


def parts_of(user: Any, site: Site, count: int = 20) -> list[Share]:
    """Give the shares of runs that the site's workers have or that wait for them, of runs that the user may see."""
    rows = RunPart.objects.filter(queue=site.queue, status__in=RunPart.OPEN)
    seen = Run.objects.visible_to(user).open().order_by().values("pk")
    parts = (
        rows.filter(run__in=seen)
        .select_related("run")
        .defer("run__playbook_text")
        .annotate(hosts_count=Count("hosts"))
        .order_by("pk")[:count]
    )
    return [
        Share(
            part,
            RunPart.STATES[part.status],
            str(RunPart.Status(part.status).label),
            why_part(part),
        )
        for part in parts
    ]

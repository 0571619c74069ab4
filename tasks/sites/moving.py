"""Moves work that nobody at its site does to whoever stands in for the site."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset import audit
from tasks.models import Run, RunHost, RunPart, Site
from tasks.output import Hints
from tasks.services.placing import own_queue
from tasks.services.queues import call
from tasks.services.settle import note
from tasks.services.waiting import looking_seconds, pending, workers_of
from tasks.site_models import QUEUE_PREFIX
from tasks.sites.questions import with_queue

Status = RunPart.Status
MOVER = audit.SystemActor("sites")


def is_forsaken(site: Site, now: datetime) -> bool:
    """Say whether no worker of a site has shown a sign for long enough; not while nobody could see one.

    A site that never had a worker counts from its last change.
    """
    patience = settings.SITE_PATIENCE_SECONDS
    looking = looking_seconds(now.timestamp())
    if looking is None or looking < patience or workers_of(site.queue):
        return False
    since = site.seen_at or site.updated_at
    return now - since >= timedelta(seconds=patience)


def move_forsaken(now: datetime | None = None) -> list[int]:
    """Give what waits in queues of sites without workers, or of sites that are out of use, to others; give the parts' ids."""
    now = now or timezone.now()
    revive_hosts()
    waiting = RunPart.objects.filter(
        queue__startswith=QUEUE_PREFIX,
        status__in=(Status.QUEUED, Status.WAITING),
        run__status__in=Run.OPEN,
    )
    known = {site.queue: site for site in with_queue()}
    moved = []
    for queue in sorted(set(waiting.order_by().values_list("queue", flat=True))):
        target, words = _stand_in(queue, known, now)
        if target:
            parts = waiting.filter(queue=queue).order_by("pk").select_related("run")
            moved += [
                part.pk for part in parts if move(part, _queue(part, target), words)
            ]
    return moved


def _queue(part: RunPart, queue: str) -> str:
    return own_queue(queue, urgent=part.run.is_leg and part.run.leg.urgent)


def _stand_in(queue: str, known: dict[str, Site], now: datetime) -> tuple[str, str]:
    """Give the queue that a queue's work goes to, and why; "" where it stays."""
    site = known.get(queue)
    if site is None:
        words = _("Moved from queue %(queue)s: no site in use has it any more.")
        return settings.RUN_QUEUE, words % {"queue": queue}
    if site.fallback == Site.Fallback.WAIT or not is_forsaken(site, now):
        return "", ""
    words = _(
        "Moved from queue %(queue)s: no worker of %(site)s gave a sign for %(seconds)s s."
    )
    told = {"queue": queue, "site": site, "seconds": settings.SITE_PATIENCE_SECONDS}
    if site.fallback == Site.Fallback.PORTAL:
        return settings.RUN_QUEUE, words % told
    other = known.get(site.other.queue) if site.other else None
    if other is None or is_forsaken(other, now):
        return "", ""
    return other.queue, words % told


@transaction.atomic
def move(part: RunPart, queue: str, words: str) -> bool:
    """Give a part that no worker has in hand to another queue; False where one took it in this moment."""
    now = timezone.now()
    # What else settles this run waits.
    Run.objects.select_for_update().filter(pk=part.run_id).first()
    free = RunPart.objects.filter(
        pk=part.pk, queue=part.queue, status__in=(Status.QUEUED, Status.WAITING)
    )
    other = RunPart.objects.filter(run=part.run_id, queue=queue).first()
    if other is None:
        if not free.update(
            queue=queue, status=Status.QUEUED, reason=words[:500], sent_at=now
        ):
            return False
        part.queue = queue
        call(part)
    else:
        if not free.update(status=Status.DONE, reason="", ended_at=now):
            return False
        pending(part.hosts.all()).update(part=other)
        RunPart.objects.filter(pk=other.pk, status=Status.DONE).update(
            status=Status.WAITING, ended_at=None
        )
    note(part.run_id, words)
    audit.record(MOVER, "run.move", part.run, reason=words)
    transaction.on_commit(Hints(part.run_id).status)
    return True


def revive_hosts() -> None:
    """Let parts go on whose worker let go of them in the moment in which further hosts came to them."""
    ended = RunPart.objects.filter(status=Status.DONE, run__status__in=Run.OPEN)
    left = pending(RunHost.objects.all())
    again = ended.filter(pk__in=left.order_by().values("part"))
    keys = list(again.values_list("pk", flat=True))
    if keys:
        RunPart.objects.filter(pk__in=keys, status=Status.DONE).update(
            status=Status.WAITING, ended_at=None
        )

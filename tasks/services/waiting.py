"""Why a part of a run does not begin yet, in one sentence."""

import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from adminset import redis_door
from adminset.clock import DatabaseNow
from tasks.approvals.deciding import may_start
from tasks.models import Run, RunHost, RunPart
from tasks.scheduling.calendars import obstacle_of
from tasks.sites.questions import most_of
from tasks.sites.signs import nobody_words, note_signs

Status = RunPart.Status
WORKERS = "adminset:run-workers:"
ASKED = "run-workers-asked"
# From when on one looks without a break (Unix seconds): after a pause workers get time to show themselves.
LOOKING = "run-workers-looking"
WORKER_SECONDS = 45


def pending(hosts: QuerySet[RunHost]) -> QuerySet[RunHost]:
    """Narrow to hosts that still have their turn: one that was refused, skipped or given up has an end."""
    return hosts.filter(status=RunHost.Status.NOT_STARTED, ended_at=None)


def obstacle(part: RunPart) -> str:
    """Say what keeps a part from going on, quotas apart; "" where nothing does."""
    run = part.run
    if run.status == Run.Status.PAUSED:
        return run.explanation or _("The run is paused.")
    if run.not_before and run.not_before > timezone.now():
        return not_before_words(run.not_before)
    # Hashed again whenever a worker takes a part: what was approved is what runs.
    if unapproved := may_start(run):
        return unapproved
    if closed := obstacle_of(run, timezone.now()):
        return closed
    if not pending(part.hosts.filter(batch=run.batch)).exists():
        return _("It has no host in batch %(batch)s of %(count)s.") % {
            "batch": run.batch + 1,
            "count": run.batch_count,
        }
    return same_words(run)


def cannot_say() -> str:
    """Say of a part that judging whether it may begin went wrong."""
    return _(
        "Whether it may begin could not be judged; the log of the portal says why."
    )


def not_before_words(moment: datetime) -> str:
    """Say when a run may begin."""
    local = timezone.localtime(moment)
    return _("Not before %(time)s.") % {"time": f"{local:%Y-%m-%d %H:%M:%S %Z}"}


def same_before(run: Run) -> Run | None:
    """Give the run that does the same and was asked for earlier, while it has not ended."""
    if not run.same_key:
        return None
    same = Run.objects.open().filter(same_key=run.same_key, pk__lt=run.pk)
    return same.order_by("pk").defer("playbook_text").first()


def same_words(run: Run) -> str:
    """Say for which run one waits that does the same."""
    # One that should have been refused and slipped in at the same moment as the other waits, too.
    other = None if run.together == Run.Together.ALLOW else same_before(run)
    # By its number: who reads this may not be among those who may see the other, and it does the same.
    words = _(
        "It waits for the end of #%(run)s, which does the same on the same hosts."
    )
    return words % {"run": other.pk} if other else ""


def busy(**where: Any) -> QuerySet[RunPart]:
    """Give the parts that workers have in hand."""
    return RunPart.objects.filter(status=Status.RUNNING, **where)


def beyond_quota(part: RunPart, *, taken: int | None = None) -> str:
    """Say which quota is full; "" where there is room. Nothing is kept of this: the rows are counted each time.

    All others that are claimed count, in whatever order that was: no clock, and no order of writing, tells who came first.
    Two that come at the same moment may both step back; the next look lets as many of them go on as there is room for.
    What is urgent has no quota.

    Args:
        taken: how many parts of its queue were called and have no worker yet.
    """
    if part.queue == settings.URGENT_QUEUE:
        return ""
    others = busy().exclude(run=part.run_id)
    most = most_of(part.queue)
    in_queue = others.filter(queue=part.queue).count() + (taken or 0) if most else 0
    if most and in_queue >= most:
        words = ngettext(
            "%(busy)s of %(most)s run of queue %(queue)s is busy.",
            "%(busy)s of %(most)s runs of queue %(queue)s are busy.",
            most,
        )
        return words % {"busy": in_queue, "most": most, "queue": part.queue}
    return _beyond_own(part, others)


def _beyond_own(part: RunPart, others: QuerySet[RunPart]) -> str:
    most, user = settings.RUN_USER_MOST, part.run.requested_by_id
    if not most or user is None:
        return ""
    own = others.filter(run__requested_by=user)
    count = own.order_by().values("run").distinct().count()
    if count < most:
        return ""
    words = _("%(busy)s of %(most)s runs of %(user)s are busy.")
    name = part.run.requested_by_name
    return words % {"busy": count, "most": most, "user": name}


def why_waiting(run: Run) -> str:
    """Say in a sentence or two why a run does not go on; "" where it does, or has ended."""
    if run.status == Run.Status.PAUSED:
        return run.explanation or _("The run is paused.")
    parts = list(run.parts.exclude(status=Status.DONE).select_related("run"))
    if not run.is_open:
        return ""
    if any(part.status == Status.RUNNING for part in parts):
        # It goes on: only a share of it for which there is nobody is worth a word.
        return " ".join(filter(None, (_nobody(part) for part in parts)))
    reasons = [_why(part) for part in parts]
    since = run.batch_started_at or run.created_at
    seconds = int((timezone.now() - since).total_seconds())
    words = _("Waiting %(seconds)s s: %(reason)s")
    told = " ".join(dict.fromkeys(reason for reason in reasons if reason))
    return words % {"seconds": seconds, "reason": told} if told else ""


def why_part(part: RunPart) -> str:
    """Say why a share of a run does not begin; "" where a worker has it."""
    return "" if part.status == Status.RUNNING else _why(part)


def _why(part: RunPart) -> str:
    reason = obstacle(part)
    if reason:
        return reason
    full = beyond_quota(part)
    count = busy(queue=part.queue).count()
    if not full and part.status == Status.QUEUED and part.reason:
        return part.reason
    if not full and (nobody := _nobody(part)):
        return nobody
    if not full and not count:
        return _("A worker of queue %(queue)s was called.") % {"queue": part.queue}
    words = ngettext(
        "%(count)s run of queue %(queue)s is busy.",
        "%(count)s runs of queue %(queue)s are busy.",
        count,
    )
    told = full or words % {"count": count, "queue": part.queue}
    return f"{told} {_ahead(part)}".strip()


def _nobody(part: RunPart) -> str:
    """Say that a part was called for and no worker serves its queue; "" where one does, or nobody knows."""
    known = part.status == Status.QUEUED and redis_door.noted(ASKED)
    return nobody_words(part.queue) if known and not workers_of(part.queue) else ""


def _ahead(part: RunPart) -> str:
    before = RunPart.objects.filter(
        queue=part.queue, status__in=(Status.QUEUED, Status.WAITING), pk__lt=part.pk
    )
    count = before.filter(run__status=Run.Status.QUEUED).count()
    words = ngettext("%(count)s is ahead.", "%(count)s are ahead.", count)
    return words % {"count": count} if count else ""


def note_workers(queues: dict[str, list[str]], moment: float) -> None:
    """Keep for a while which workers serve which queue: {worker: queues}; `moment` in Unix seconds."""
    for worker, names in queues.items():
        for queue in names:
            redis_door.keep_until(WORKERS + queue, worker, moment + WORKER_SECONDS)
    redis_door.note(ASKED, "yes", WORKER_SECONDS)
    since = redis_door.noted(LOOKING) or str(moment)
    redis_door.note(LOOKING, since, WORKER_SECONDS)
    note_signs({name for names in queues.values() for name in names}, moment)


def looking_seconds(moment: float) -> float | None:
    """Say for how long one has looked for workers without a break; None where nobody looks, or Redis is away."""
    since = redis_door.noted(LOOKING)
    return moment - float(since) if since and redis_door.noted(ASKED) else None


def workers_of(queue: str) -> list[str]:
    """Name the workers that were seen at a queue of late, or that work on parts of it."""
    return workers_by_queue([queue])[queue]


def workers_by_queue(queues: list[str]) -> dict[str, list[str]]:
    """Name the workers of several queues; one question to the database."""
    now = time.time()
    at_work = busy(queue__in=queues, lease_until__gt=DatabaseNow()).order_by()
    found: dict[str, set[str]] = {
        queue: set(redis_door.kept_after(WORKERS + queue, now)) for queue in queues
    }
    for queue, worker in at_work.values_list("queue", "worker"):
        found[queue].add(worker)
    return {queue: sorted(names) for queue, names in found.items()}

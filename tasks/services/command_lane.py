"""The lane of shell commands: many hosts at once over SSH. Only its own thread speaks to the database."""

import logging
import queue
from collections import deque
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.redaction import redact
from tasks import ssh
from tasks.models import RunHost
from tasks.output import OutputFile
from tasks.services.jobs import Ended, Job, Started
from tasks.services.reaching import target_or_end
from tasks.targets import Target

WAIT_SECONDS = 0.25
logger = logging.getLogger(__name__)
Events = list[Started | Ended]


def run_commands(job: Job) -> str:
    """Run the command on every host of the job; at most `forks` at once."""
    waiting = deque(job.rows)
    ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
    busy = 0
    with ThreadPoolExecutor(
        job.run.forks, thread_name_prefix=f"run-{job.run.pk}"
    ) as pool:
        try:
            while busy or (waiting and not job.watch.look()):
                events = _start_some(job, waiting, job.run.forks - busy, pool, ended)
                busy += sum(isinstance(event, Started) for event in events)
                job.record(events)
                finished = _take(ended)
                busy -= len(finished)
                job.record(finished)
                job.watch.look()
        finally:
            # Whatever ended this loop: no command goes on unwatched.
            job.watch.stopping = True
    words = _("Cancelled before it was started.")
    job.record(Ended(row.pk, RunHost.Status.NOT_STARTED, words) for row in waiting)
    return ""


def _start_some(
    job: Job,
    waiting: "deque[RunHost]",
    free: int,
    pool: ThreadPoolExecutor,
    ended: "queue.SimpleQueue[Ended]",
) -> Events:
    """Start as many hosts as are free; those that cannot be tried end at once."""
    events: Events = []
    while waiting and free and not job.watch.stopping:
        row = waiting.popleft()
        target = target_or_end(row, row.host_name)
        if isinstance(target, Ended):
            events.append(target)
            continue
        events.append(Started(row.pk))
        free -= 1
        pool.submit(_run_on_host, job, row.pk, target, ended)
    return events


def _take(ended: "queue.SimpleQueue[Ended]") -> list[Ended]:
    """Give what ended, after waiting a little for the first."""
    found: list[Ended] = []
    try:
        found.append(ended.get(timeout=WAIT_SECONDS))
        while True:
            found.append(ended.get_nowait())
    except queue.Empty:
        return found


def _run_on_host(
    job: Job, row_id: int, target: Target, ended: "queue.SimpleQueue[Ended]"
) -> None:
    try:
        ended.put(_result(job, row_id, target))
    except Exception as error:
        logger.exception(
            "run %s: the command on %s could not be followed", job.run.pk, target.label
        )
        words = _("The portal could not follow the command: %(error)s.") % {
            "error": type(error).__name__
        }
        ended.put(Ended(row_id, RunHost.Status.UNKNOWN, words))


def _result(job: Job, row_id: int, target: Target) -> Ended:
    secrets = target.login.secrets()
    output = OutputFile(job.run.pk, row_id, secrets, job.hints)
    try:
        result = ssh.run_command(
            target,
            job.run.command,
            on_output=output.write,
            timeout=job.run.timeout_seconds,
            connect_timeout=settings.RUN_CONNECT_TIMEOUT_SECONDS,
            cancelled=lambda: job.watch.stopping,
        )
    finally:
        output.close()
    words = redact(result.explanation, secrets)
    return Ended(
        row_id, result.status, words, result.exit_code, result.started_at, output.size
    )

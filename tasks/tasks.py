"""Celery's door of the room: what is asked for is sent to a worker, which does it."""

import logging
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

import redis
from celery import Task, current_app, shared_task, signals
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from adminset import redis_door
from adminset.errors import DomainError
from cmdb.models import Host
from tasks.hooks import clearing
from tasks.library import repositories
from tasks.models import GitSource, Run, Schedule
from tasks.recording import retention as clearing_recordings
from tasks.recording import sealing
from tasks.scheduling import retention, ticking
from tasks.services import execute, launch, looks, queues, reap, schedules, waiting
from tasks.services.hostkeys import fetch_key
from tasks.services.queues import queued_parts
from tasks.sites import asking, moving, questions, receiving, relay_life
from tasks.sites.sending import RECEIVE
from tasks.terminal import reaping as terminals
from tasks.terminal_pages import sessions_clearing
from tasks.watching import mending

# A worker of a site also passes on connections of the portal.
signals.worker_ready.connect(relay_life.begin)
signals.worker_shutting_down.connect(relay_life.refuse)
signals.worker_shutdown.connect(relay_life.end)
REAPER = "run-reaper"
# Beat calls each ten seconds: longer than this nobody has looked, or the database was away.
REAPER_SECONDS = 15
logger = logging.getLogger(__name__)


def enqueue_run(*, actor: Any, spec: launch.RunSpec) -> Run:
    """Ask for a run and call a worker for it; see services.launch.request_run."""
    run = launch.request_run(actor=actor, spec=spec)
    send(run.pk)
    return run


def enqueue_repeat(
    *,
    actor: Any,
    run: Run,
    failed_only: bool = False,
    selection: Iterable[str] = ("all",),
) -> Run:
    """Ask for the same run once more, see services.launch.repeat_run, and call a worker for it."""
    again = launch.repeat_run(
        actor=actor, run=run, failed_only=failed_only, selection=selection
    )
    send(again.pk)
    return again


def enqueue_schedule(*, actor: Any, schedule: Schedule) -> Run:
    """Run a schedule's work now, as the one who asks."""
    run = schedules.run_now(actor=actor, schedule=schedule)
    send(run.pk)
    return run


def send(run: Run | int) -> None:
    """Call workers once the run is committed; where Redis is away the run stays queued and the sweeper calls later."""
    pk = run if isinstance(run, int) else run.pk
    transaction.on_commit(partial(_send, pk))


def _send(pk: int) -> None:
    for queue in queued_parts(pk):
        try:
            if queue == settings.RUN_QUEUE:
                run_run.delay(pk)
            else:
                run_run.apply_async((pk, queue), queue=queue)
        except (OperationalError, redis.RedisError, OSError) as error:
            logger.warning("run %s: no worker could be called (%s)", pk, error)
            queues.note_unsent(run_id=pk)


@shared_task(name="tasks.run_run", bind=True)
def run_run(self: Task, pk: int, queue: str = "") -> None:
    """Do what one queue has of a run."""
    worker = self.request.hostname or "worker"
    execute.execute_part(run_id=pk, queue=queue or settings.RUN_QUEUE, worker=worker)


@shared_task(name="tasks.reap_runs", expires=30)
def reap_runs() -> None:
    """Find lost workers, runs that may go on, and queued parts without a message.

    One run or part that cannot be judged keeps none of the others from its turn.
    """
    # After a time without database, or without this look, workers that live get a moment to say so first.
    if redis_door.noted(REAPER):
        reap.reap_lost()
        terminals.reap_lost()
    reap.settle_forsaken()
    queues.wake_ready()
    redis_door.note(REAPER, "was here", REAPER_SECONDS)
    looks.note_look(time.time())
    late = [part for part in reap.unsent_parts() if _queue_is_empty(part.queue)]
    for part in late:
        queues.send(part.run_id, part.queue)
    if late:
        look_for_workers()


def look_for_workers() -> None:
    """Ask which workers serve which queues, for the answer to: why does it wait?"""
    found = current_app.control.inspect(timeout=1).active_queues() or {}
    names = {worker: [q["name"] for q in served] for worker, served in found.items()}
    waiting.note_workers(names, time.time())


def _queue_is_empty(queue: str) -> bool:
    """Messages that wait may be those of the queued parts: more of them would only pile up."""
    return not redis_door.waiting(queue)


@shared_task(name="tasks.look_at_sites", expires=30)
def look_at_sites() -> None:
    """See which sites have workers, give the work of those without to others, and put output that came into its files."""
    receiving.receive_all()
    mending.mend_left()
    if questions.with_queue():
        look_for_workers()
    moving.move_forsaken()


@shared_task(name=RECEIVE)
def receive_output(pk: int) -> None:
    """Put the output of a run that a worker elsewhere sent into the portal's files."""
    receiving.receive(pk)


@shared_task(name=asking.TASK)
def tell_host_key(pk: int, queue: str, ticket: str) -> None:
    """Read the key of a host from where this worker stands, for the page that asked."""
    host = Host.objects.select_related("credential", "idc").filter(pk=pk).first()
    try:
        if host is not None and host.address:
            asking.tell(ticket, key=fetch_key(host, queue).public)
    except DomainError as error:
        asking.tell(ticket, message=str(error.message), hint=str(error.hint))


@shared_task(name="tasks.tick_schedules")
def tick_schedules() -> None:
    """Make the runs of the schedules whose time has come."""
    for pk in ticking.tick():
        send(pk)


@shared_task(name="tasks.clear_runs")
def clear_runs() -> None:
    """Clear away runs that nobody keeps any more."""
    retention.clear_runs()


@shared_task(name="tasks.seal_recordings", expires=30)
def seal_recordings() -> None:
    """Seal the recordings of terminals whose process died."""
    sealing.seal_forsaken()


@shared_task(name="tasks.clear_recordings")
def clear_recordings() -> None:
    """Clear away recordings of terminals that nobody keeps any more."""
    clearing_recordings.clear_recordings()


@shared_task(name="tasks.clear_terminal_sessions")
def clear_terminal_sessions() -> None:
    """Clear away terminal sessions that nobody keeps any more."""
    sessions_clearing.clear_sessions()


@shared_task(name="tasks.clear_hooks")
def clear_hooks() -> None:
    """Forget old messages to web-hooks, and the signs by which repeated ones are known."""
    clearing.clear()


def enqueue_fetch(*, actor: Any, source: GitSource) -> GitSource:
    """Ask for a git repository to be read and call a worker for it; see library.repositories.request_fetch."""
    asked = repositories.request_fetch(actor=actor, source=source)
    transaction.on_commit(partial(_send_fetch, asked.pk))
    return asked


def _send_fetch(pk: int) -> None:
    try:
        fetch_source.delay(pk)
    except (OperationalError, redis.RedisError, OSError) as error:
        logger.warning("git repository %s: no worker could be called (%s)", pk, error)
        repositories.no_worker(pk=pk)


@shared_task(name="tasks.fetch_source")
def fetch_source(pk: int) -> None:
    """Read a git repository."""
    repositories.fetch_source(pk=pk)

"""The SSH lane: many hosts at once. Only its own thread speaks to the database; each host has a thread of the pool."""

import logging
import queue
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from django.conf import settings
from django.utils.translation import gettext as _

from adminset.errors import DomainError
from adminset.redaction import redact
from tasks.legs.working import leg_work
from tasks.models import Run, RunHost
from tasks.output import OutputFile, limits
from tasks.services.file_lane import file_work
from tasks.services.jobs import Ended, Job
from tasks.services.reaching import target_or_end
from tasks.services.script_lane import command_work, script_work
from tasks.services.ssh_work import Work
from tasks.ssh.terms import Terms
from tasks.targets import Target

WORK: dict[str, Callable[[Job], Work]] = {
    Run.Kind.COMMAND: command_work,
    Run.Kind.SCRIPT: script_work,
    Run.Kind.FILES: file_work,
    Run.Kind.DEPLOY: leg_work,
}
# What ended is waited for so long, and what ends soon after the first of many is taken along.
WAIT_SECONDS = 0.25
ALONG_SECONDS = 0.1
# Logins that are opened, and hosts that are begun, in one go.
MOST_BEGUN = 50
logger = logging.getLogger(__name__)


def run_commands(job: Job) -> str:
    """Run a command, a script or a leg, or bring files, on every host of the job; at most `forks` at once."""
    try:
        work = WORK[job.run.kind](job)
    except DomainError as error:
        words = f"{error.message} {error.hint}".strip()
        rows = job.begin(job.rows) or []
        job.record(Ended(row.pk, RunHost.Status.FAILED, words) for row in rows)
        return words
    _Lane(job, work).run()
    return ""


class _Lane:
    """A job on its way: who waits, who is busy, what ended."""

    def __init__(self, job: Job, work: Work) -> None:
        self._job = job
        self._work = work
        self._waiting = deque(job.rows)
        self._ended: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        self._busy = 0
        self._abandoned = False
        self._output_limit, _whole = limits(job.run.host_count, whole=False)
        self._files: dict[int, OutputFile] = {}
        login = job.run.options.get("become")
        self._become = login if isinstance(login, bool) else None

    def run(self) -> None:
        """Give every host its turn, unless the watch stops or holds."""
        name = f"run-{self._job.run.pk}"
        with ThreadPoolExecutor(self._job.run.forks, name) as pool:
            try:
                while self._busy or (self._waiting and self._may_begin()):
                    begun = self._begin_some(pool)
                    self._take(0.0 if begun else WAIT_SECONDS)
                    self._job.watch.look()
                    self._work.looks()
                    for file in list(self._files.values()):
                        file.flush_due()
            finally:
                # Whatever ended this loop: no command goes on unwatched.
                self._abandoned = True

    def _may_begin(self) -> bool:
        return not (self._job.watch.stopping or self._job.watch.holding)

    def _stopping(self) -> bool:
        return self._job.watch.stopping or self._abandoned

    def _begin_some(self, pool: ThreadPoolExecutor) -> int:
        """Begin on hosts that are free to; those that cannot be tried end at once."""
        free = min(self._job.run.forks - self._busy, MOST_BEGUN)
        if free <= 0 or not self._waiting or not self._may_begin():
            return 0
        rows = [
            self._waiting.popleft() for _one in range(min(free, len(self._waiting)))
        ]
        begun = self._job.begin(rows)
        if begun is None:
            self._waiting.extendleft(reversed(rows))
            return 0
        for row in begun:
            target = target_or_end(row, row.host_name)
            if isinstance(target, Ended):
                self._ended.put(target)
            else:
                pool.submit(self._run_on_host, row.pk, self._as_asked(target))
            self._busy += 1
        return len(begun)

    def _as_asked(self, target: Target) -> Target:
        """Become root, or do not, where the run says so rather than the credential."""
        if self._become is None or target.login.user == "root":
            return target
        login = replace(target.login, become_method="sudo" if self._become else "")
        return replace(target, login=login)

    def _take(self, seconds: float) -> None:
        """Record what ended: after waiting a little for the first, and less for those that follow it."""
        found: list[Ended] = []
        enough = max(self._job.run.forks // 8, 1)
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            try:
                found.append(self._ended.get(block=left > 0, timeout=max(left, 0)))
            except queue.Empty:
                break
            if len(found) == 1:
                until = min(until, time.monotonic() + ALONG_SECONDS)
            if len(found) >= enough or len(found) >= self._busy:
                until = 0.0
        self._busy -= len(found)
        self._job.record(found)

    def _run_on_host(self, row_id: int, target: Target) -> None:
        try:
            self._ended.put(self._result(row_id, target))
        except Exception as error:
            logger.exception(
                "run %s: the work on %s could not be followed",
                self._job.run.pk,
                target.label,
            )
            words = _("The portal could not follow the command: %(error)s.") % {
                "error": type(error).__name__
            }
            self._ended.put(Ended(row_id, RunHost.Status.UNKNOWN, words))

    def _result(self, row_id: int, target: Target) -> Ended:
        run = self._job.run
        secrets = [*target.login.secrets(), *self._work.secrets]
        secrets += self._work.along(target)
        if target.jump is not None:
            secrets += target.jump.login.secrets()
        output = OutputFile(
            run.pk, row_id, secrets, self._job.hints, self._output_limit
        )
        self._files[row_id] = output
        terms = Terms(
            timeout=run.timeout_seconds,
            connect_timeout=run.connect_timeout_seconds
            or settings.RUN_CONNECT_TIMEOUT_SECONDS,
            idle_timeout=run.idle_timeout_seconds,
            cancelled=self._stopping,
            on_output=output.write,
        )
        try:
            result = self._work.do(target, terms)
        finally:
            del self._files[row_id]
            output.close()
        words = redact(result.explanation, secrets)
        if output.broken:
            lost = _("Not all of its output could be kept: %(why)s.")
            words = f"{words} {lost % {'why': output.broken}}"
        return Ended(
            row_id,
            result.status,
            words,
            result.exit_code,
            result.started_at,
            output.received,
            output.kept,
            output.digest,
            result.limit,
            self._work.report(target),
        )

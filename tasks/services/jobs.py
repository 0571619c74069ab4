"""A run in a worker's hands: its hosts, and how what happens to them is written down."""

import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from adminset.many_rows import update_rows
from adminset.redaction import clean
from tasks.library.choosing import files_of
from tasks.models import Run, RunHost, Version
from tasks.output import Hints
from tasks.services.claim import Claim, Watch, drop_connection
from tasks.services.specs import opened
from tasks.services.waiting import pending
from tasks.sites.sending import Outgoing

# A database that is away is asked again later; one that refuses what it is given would do so for ever.
AWAY = (OperationalError, InterfaceError)
REFUSED = (DatabaseProblem, ValueError, OverflowError)
# Exit codes of 32 bits, with or without a sign: nothing that ends has another one.
LEAST_CODE, MOST_CODE = -(2**31), 2**32 - 1
WRITTEN = (
    "status",
    "explanation",
    "exit_code",
    "started_at",
    "ended_at",
    "output_bytes",
    "stored_bytes",
    "output_hash",
    "limit",
    "report",
)
Counts = tuple[int, int, int]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ended:
    """Work ended on a host (RunHost's id).

    `limit` names the time-out that ended it: connect, idle, host, batch or run. Of the output `output_bytes` came,
    `stored_bytes` are kept, and `output_hash` is the SHA-256 of these. `report` is what a leg's host told, None elsewhere.
    """

    row_id: int
    status: str
    explanation: str
    exit_code: int | None = None
    started_at: datetime | None = None
    output_bytes: int = 0
    stored_bytes: int = 0
    output_hash: str = ""
    limit: str = ""
    report: dict[str, Any] | None = None


@dataclass(eq=False)
class Job:
    """What a lane needs to work on some hosts of a run: those of one batch of one part.

    A lane calls `begin` before it touches a host, `record` for what happens there, and `watch.look()` a few times a second
    (which also writes what was gathered); all of them from the one thread that speaks to the database. It returns once
    nothing runs any more and nothing may begin: all hosts had their turn, or the watch is `stopping` or `holding`. Of hosts
    that it did not begin it says nothing.

    Each write locks the run, then the part, then hosts, as whoever settles the run does, so that nobody waits in a circle.
    """

    run: Run
    claim: Claim
    watch: Watch
    hints: Hints
    rows: list[RunHost]
    # Events are gathered for so long and written together.
    gather_seconds: float = 0.0
    cut_off: list[int] = field(default_factory=list)
    _begun: set[int] = field(default_factory=set)
    _gathered: list[Ended] = field(default_factory=list)
    _written: float = 0.0

    @property
    def private_root(self) -> Path:
        """Where the private directories of the processes of this part go: whoever takes it over ends what lives there."""
        return private_root(self.claim.part_id)

    @cached_property
    def outgoing(self) -> Outgoing | None:
        """What sends the output home, on a machine that is not the portal's."""
        return Outgoing(self.claim, self.watch) if settings.RUN_SENDS_OUTPUT else None

    @cached_property
    def secret_answers(self) -> dict[str, str]:
        """The run's secret answers and variables, opened; they are masked in logs from now on."""
        return opened(self.run)

    @cached_property
    def roles(self) -> dict[str, dict[str, str]]:
        """The files of the library's roles that the run needs, as they were when it was asked for: {role: {path: text}}."""
        versions = Version.objects.in_bulk(self.run.role_versions.values())
        return {
            name: files_of(versions[pk])
            for name, pk in self.run.role_versions.items()
            if pk in versions
        }

    @cached_property
    def _known(self) -> dict[int, RunHost]:
        return {row.pk: row for row in self.rows}

    def begin(self, rows: list[RunHost]) -> list[RunHost] | None:
        """Write down that work begins on hosts, and give those on which it does: the others were closed meanwhile.

        It is written before anything happens there, so that no other worker ever begins there a second time. None while the
        run stops or pauses, and while the database is away: ask again after a moment.
        """
        if self.watch.stopping or self.watch.holding or not self.flush():
            return None
        try:
            begun = self._take(rows)
        except DatabaseProblem:
            logger.warning("run %s: no host can begin", self.run.pk, exc_info=True)
            drop_connection()
            return None
        if begun:
            keys = [row.pk for row in begun]
            self._begun.update(keys)
            if self.outgoing is not None:
                self.outgoing.follow(keys)
            self.hints.status()
        return begun

    @transaction.atomic
    def _take(self, rows: list[RunHost]) -> list[RunHost] | None:
        now, running = timezone.now(), RunHost.Status.RUNNING
        if self.hold() is None:
            return None
        keys = [row.pk for row in rows]
        hosts = RunHost.objects.filter(pk__in=keys, part=self.claim.part_id)
        taken = pending(hosts).update(status=running, started_at=now)
        if taken < len(rows):
            found = set(hosts.filter(status=running).values_list("pk", flat=True))
            rows = [row for row in rows if row.pk in found]
        for row in rows:
            row.started_at = now
        return rows

    def hold(self) -> Counts | None:
        """Lock the run and the part until the end of the transaction; None, and the watch stops, once somebody else has it.

        Returns:
            how many hosts of the run are done, ended well, and are there.
        """
        run = Run.objects.select_for_update().filter(pk=self.run.pk)
        counts = run.values_list("done_count", "ok_count", "host_count").first()
        if counts is None or not self.claim.renew():
            self.watch.stop("lost")
            return None
        return counts

    def record(self, events: Iterable[Ended]) -> None:
        """Take down what happened on hosts: it is written within `gather_seconds`, as long as the claim holds."""
        self._gathered += [self._told(event) for event in events if self._counts(event)]
        if time.monotonic() - self._written >= self.gather_seconds:
            self.flush()

    def _counts(self, event: Ended) -> bool:
        """Leave out what a lane says of hosts that it could not begin: the engine knows why, and whether they go on."""
        if event.row_id not in self._known:
            return False
        if event.row_id in self._begun:
            return True
        on = not (self.watch.stopping or self.watch.holding)
        return on or event.status != RunHost.Status.NOT_STARTED

    def _told(self, event: Ended) -> Ended:
        """Say of a host that was cut off by a time-out of the batch or run that this is what it was."""
        why = self.watch.why
        seconds = {
            "batch": self.run.batch_timeout_seconds,
            "run": self.run.run_timeout_seconds,
        }.get(why)
        if not seconds or event.status != RunHost.Status.CANCELLED:
            return event
        self.cut_off.append(event.row_id)
        words = limit_words(why) % {"seconds": seconds}
        after = event.explanation.partition(". ")[2]
        return replace(
            event,
            status=RunHost.Status.TIMED_OUT,
            limit=why,
            explanation=f"{words} {after}".strip(),
        )

    def look(self) -> None:
        """Write what was gathered, if it is time; the watch calls it at each look."""
        if self._gathered and time.monotonic() - self._written >= self.gather_seconds:
            self.flush()
        elif self.outgoing is not None and self.outgoing.due:
            self.outgoing.send()

    def flush(self) -> bool:
        """Write what was gathered; where the database is away it is kept for the next time, and False comes back.

        The output goes first: of a host that has ended, all is there.
        """
        events, self._written = self._gathered, time.monotonic()
        if self.outgoing is not None and not self.outgoing.send():
            return False
        if not events:
            return True
        try:
            self._put(events)
        except AWAY:
            words = "run %s: %s events wait for the database"
            logger.warning(words, self.run.pk, len(self._gathered), exc_info=True)
            drop_connection()
            return False
        if self.outgoing is not None:
            self.outgoing.leave(event.row_id for event in events)
        self.hints.status()
        return True

    def _put(self, events: list[Ended]) -> None:
        """Write events together; where the database refuses that, one by one, and of who was refused that it is not known."""
        try:
            self._write(events)
        except AWAY:
            raise
        except REFUSED:
            if len(events) > 1:
                for event in events:
                    self._put([event])
                return
            key = events[0].row_id
            log = "run %s: the database refuses how its host %s ended"
            logger.exception(log, self.run.pk, key)
            words = _("The database did not take how it ended: look on the host.")
            self._write([Ended(key, RunHost.Status.UNKNOWN, words)])
        self._gathered = self._gathered[len(events) :]

    @transaction.atomic
    def _write(self, events: list[Ended]) -> None:
        counts = self.hold()
        if counts is None:
            # Somebody else has the part: what this worker still knows must not overwrite that.
            return
        for event in events:
            fill(self._known[event.row_id], event)
        rows = [self._known[event.row_id] for event in events]
        update_rows(RunHost, WRITTEN, rows)
        done = [row for row in rows if row.status != RunHost.Status.NOT_STARTED]
        good = sum(row.status == RunHost.Status.OK for row in done)
        if done:
            was_done, was_good, total = counts
            now_done, now_good = was_done + len(done), was_good + good
            Run.objects.filter(pk=self.run.pk).update(
                done_count=now_done, ok_count=now_good
            )
            self.watch.count(now_done, now_good, total)


def fill(row: RunHost, event: Ended) -> None:
    """Write how work ended into a host's row, in a form that every database takes: whatever a host says comes through here."""
    row.status = event.status
    # The last gate: what a library said of an error may hold what it was given.
    row.explanation = clean(event.explanation)[:4000]
    code = event.exit_code
    fits = code is not None and LEAST_CODE <= code <= MOST_CODE
    row.exit_code = code if fits else None
    row.started_at = event.started_at or row.started_at
    row.ended_at = timezone.now()
    row.output_bytes = event.output_bytes
    row.stored_bytes = event.stored_bytes or event.output_bytes
    row.output_hash = event.output_hash
    row.limit = event.limit
    if event.report is not None:
        row.report = event.report


def limit_words(why: str) -> str:
    """Give the sentence of a time-out, with a place for its `seconds`."""
    return {
        "batch": _("The time-out of the batch (%(seconds)s s) was over."),
        "run": _("The time-out of the run (%(seconds)s s) was over."),
    }[why]


def private_root(part_id: int) -> Path:
    """Name the folder of a part's private directories."""
    return Path(settings.RUN_DIR) / "private" / str(part_id)

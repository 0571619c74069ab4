"""Legs as work of the SSH lane: the program with its values on each host, its file on stdin, and what it tells the portal."""

import hashlib
import json
import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django.db import DatabaseError, transaction

from adminset.many_rows import update_rows
from tasks.legs.hearing import Ear
from tasks.legs.sending import Sending
from tasks.models import RunHost
from tasks.services.claim import drop_connection
from tasks.services.jobs import Job
from tasks.services.ssh_work import Work
from tasks.ssh.commands import run_script
from tasks.ssh.leftovers import end_leftovers
from tasks.ssh.lines import Script
from tasks.ssh.streams import Feed
from tasks.ssh.terms import Terms
from tasks.targets import CommandResult, Target

NEWS_SECONDS = 1.0
logger = logging.getLogger(__name__)


def leg_work(job: Job) -> Work:
    """Give the work of a leg."""
    bearer = _Bearer(job)
    return Work(
        bearer.do, looks=bearer.look, report=bearer.report, along=bearer.secrets
    )


class _Bearer:
    """Brings the program to hosts; `do` is called by many threads, `look` by the one that speaks to the database."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._leg = job.run.leg
        sealed: Any = job.run.sealed
        text = sealed.reveal() if sealed else "{}"
        told = json.loads(text)
        self._secret: Mapping[str, str] = told.get("all", {})
        self._host_secret: Mapping[str, Mapping[str, str]] = told.get("hosts", {})
        # Of this attempt: who reads the environment of an earlier one cannot speak for the program.
        self._mark_seed = secrets.token_hex(16)
        self._part = job.rows[0].part if job.rows else None
        self._rows = {row.host_id: row for row in job.rows if row.host_id}
        self._sending = Sending(job)
        self._ears: dict[int, Ear] = {}
        self._written: dict[int, dict[str, Any]] = {}
        self._looked = time.monotonic()

    def secrets(self, target: Target) -> list[str]:
        """Give what is masked in the output of a host: the secret values, and the mark."""
        own = self._host_secret.get(str(_id(target)), {})
        return [*self._secret.values(), *own.values(), self._mark(target)]

    def report(self, target: Target) -> dict[str, Any] | None:
        """Give what a host has told, once its work is over."""
        ear = self._ears.pop(_id(target), None)
        return ear.report() if ear else None

    def do(self, target: Target, terms: Terms) -> CommandResult:
        """Run the program on a host; what an earlier worker left running there ends first."""
        token = self._token(target)
        if self._part is not None and self._part.losses:
            refused = end_leftovers(target, token, terms)
            if refused is not None:
                return refused
        script = Script(self._leg.program, environment=self._values(target))
        source = self._sending.of(_id(target))
        if source is not None:
            new_ear = partial(self._new_ear, target, terms, source.size)
            feed = Feed(script, source, new_ear(), token)
            return self._sending.run(target, feed, terms, new_ear)
        ear = self._new_ear(target, terms)
        try:
            return run_script(target, script, replace(terms, on_output=ear), token)
        finally:
            ear.close()

    def _new_ear(self, target: Target, terms: Terms, size: int = 0) -> Ear:
        known = [*target.login.secrets(), *self.secrets(target)]
        ear = Ear(self._mark(target), terms.on_output, known, size)
        self._ears[_id(target)] = ear
        return ear

    def look(self) -> None:
        """Write what hosts have told so far, at most once a second."""
        now = time.monotonic()
        if now - self._looked < NEWS_SECONDS:
            return
        self._looked = now
        found = {pk: ear.report() for pk, ear in list(self._ears.items())}
        news = {pk: told for pk, told in found.items() if told != self._written.get(pk)}
        try:
            if news and self._write(news):
                self._written |= news
                self._job.hints.status()
        except DatabaseError:
            logger.warning("run %s: news wait", self._job.run.pk, exc_info=True)
            drop_connection()

    @transaction.atomic
    def _write(self, news: Mapping[int, dict[str, Any]]) -> bool:
        if self._job.hold() is None:
            return False
        rows = []
        for pk, told in news.items():
            row = self._rows[pk]
            row.report = told
            rows.append(row)
        update_rows(RunHost, ("report",), rows)
        return True

    def _values(self, target: Target) -> dict[str, str]:
        host = str(_id(target))
        return {
            **self._leg.values,
            **self._secret,
            **self._leg.host_values.get(host, {}),
            **self._host_secret.get(host, {}),
            "AS_MARK": self._mark(target),
        }

    def _mark(self, target: Target) -> str:
        return _digest(self._mark_seed, target)

    def _token(self, target: Target) -> str:
        """Give the mark of the processes: every worker finds those of another by it."""
        return _digest(self._leg.seed, target)


def _id(target: Target) -> int:
    return int(str(target.variables["adminset_id"]))


def _digest(seed: str, target: Target) -> str:
    return hashlib.sha256(f"{seed}:{_id(target)}".encode()).hexdigest()[:32]

"""`manage.py check_worker idc.bj`: whether a worker for these queues can do its work on this machine."""

import os
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseProblem
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from adminset import redis_door
from adminset.audit_chain import content
from adminset.audit_seal import is_authentic
from adminset.clock import database_now
from adminset.crypto import Secret
from adminset.errors import DomainError
from adminset.models import AuditEntry
from cmdb.models import Credential
from tasks.site_models import QUEUE_PREFIX
from tasks.sites.questions import site_of_queue

# So much may clocks differ: time-outs are of minutes.
CLOCK_SECONDS = 5


class Command(BaseCommand):
    """Look at what a worker needs: the stores, the same version, the time, the key rings, room for its files, a site."""

    help = "Check that a worker for some queues (separated by commas) can work here."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the names of the queues."""
        parser.add_argument("queues")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say the first thing that is missing."""
        self._look_at_database()
        self._look_at_clock()
        self._look_at_redis()
        self._look_at_keys()
        self._look_at_folder()
        for queue in options["queues"].split(","):
            self._look_at_queue(queue)

    def _look_at_database(self) -> None:
        try:
            executor = MigrationExecutor(connection)
            left = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except DatabaseProblem as error:
            words = str(error).strip().splitlines()
            raise CommandError(
                f"The portal's database (DATABASE_URL) does not answer here: {words[0] if words else 'no reason given'}."
            ) from error
        if left:
            raise CommandError(
                "The portal's database is of another version than this checkout. "
                "Bring both to the same version, and start the portal first."
            )

    def _look_at_clock(self) -> None:
        before = timezone.now()
        stored = database_now()
        # Asking takes its time: what lies between the two looks here is no difference.
        behind = (stored - timezone.now()).total_seconds()
        ahead = (before - stored).total_seconds()
        if max(behind, ahead) > CLOCK_SECONDS:
            words = "behind" if behind > ahead else "ahead of"
            raise CommandError(
                f"The clock here is {max(behind, ahead):.0f} s {words} that of the portal's database. "
                "Time-outs and planned times would not be met: let NTP set the clocks of both machines."
            )

    def _look_at_redis(self) -> None:
        try:
            redis_door.client().ping()
        except redis.RedisError as error:
            raise CommandError(
                f"The portal's Redis (REDIS_URL) does not answer here: {type(error).__name__}."
            ) from error

    def _look_at_keys(self) -> None:
        for credential in Credential.objects.order_by("-pk")[:5]:
            sealed: list[Secret | None] = [
                getattr(credential, name) for name in ("password", "private_key")
            ]
            try:
                for one in filter(None, sealed):
                    one.reveal()
            except DomainError as error:
                raise CommandError(
                    "The key ring here (ADMINSET_ENCRYPTION_KEYS) is not the portal's: "
                    f"{error.message} Bring the portal's ring here (docs/secrets.md)."
                ) from error

        newest = AuditEntry.objects.order_by("-pk").first()
        if newest is not None and not is_authentic(newest.mac, content(newest)):
            raise CommandError(
                "The audit key here (ADMINSET_AUDIT_KEYS) is not the portal's: what this worker writes into the trail "
                "would look forged, and what was approved would be void. Bring the portal's key here (docs/tasks-sites.md)."
            )

    def _look_at_folder(self) -> None:
        folder = Path(settings.RUN_DIR)
        probe = folder / f".probe.{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe.touch(mode=0o600)
            probe.unlink()
        except OSError as error:
            raise CommandError(
                f"No file can be written below {folder}: {error.strerror}."
            ) from error

    def _look_at_queue(self, queue: str) -> None:
        if queue.startswith(QUEUE_PREFIX) and site_of_queue(queue) is None:
            raise CommandError(
                f"No site in use has the queue {queue}. Add the site of that IDC with workers of its own, "
                "or correct QUEUES."
            )

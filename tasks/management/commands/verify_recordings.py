"""`manage.py verify_recordings [SESSION ...] [--days N]`: holds recordings of terminals against the hashes in the audit trail."""

import sys
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db.models import QuerySet
from django.utils import timezone

from adminset.progress import Bar
from tasks.models import TerminalSession
from tasks.recording.verifying import Finding, Verdict, verify


class Command(BaseCommand):
    """Reads every recording; exit code 1 when one is altered, missing or was never sealed."""

    help = "Verify recordings of terminals: names every one that is not what the audit trail sealed."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which ones."""
        parser.add_argument(
            "sessions", nargs="*", type=int, help="numbers of sessions; default: all"
        )
        parser.add_argument(
            "--days", type=int, help="only sessions that began in the last so many days"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, say what is wrong, and how it ended."""
        rows = self._rows(options["sessions"], options["days"])
        looked = bad = 0
        with Bar(self.stderr, rows.count(), "recordings") as bar:
            for session in rows.order_by("pk").iterator(chunk_size=100):
                found = verify(session)
                looked += found.verdict in {Verdict.OK, Verdict.CLEARED}
                if found.is_bad:
                    bad += 1
                    self._tell(session, found)
                bar.advance(1)
        noun = "recording" if looked == 1 else "recordings"
        self.stdout.write(f"{looked:,} {noun} as the audit trail says, {bad:,} not.")
        if bad:
            sys.exit(1)

    def _rows(self, keys: list[int], days: int | None) -> QuerySet[TerminalSession]:
        rows = TerminalSession.objects.exclude(
            recording=TerminalSession.Recording.NONE, recording_sha256=""
        )
        if keys:
            rows = rows.filter(pk__in=keys)
        if days is not None:
            rows = rows.filter(opened_at__gte=timezone.now() - timedelta(days=days))
        return rows

    def _tell(self, session: TerminalSession, found: Finding) -> None:
        self.stdout.write(
            f"#{session.pk} {session}: {found.verdict.label}. {found.words}"
        )

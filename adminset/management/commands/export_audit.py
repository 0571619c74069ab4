"""`manage.py export_audit --format jsonl|syslog [--since PLACE] [--follow]`: the chained audit trail on standard output."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from adminset import audit, audit_export
from adminset.models import AuditEntry

ACTOR = audit.SystemActor("manage.py export_audit")
WAIT_SECONDS = 1.0


class Command(BaseCommand):
    """Writes lines in the order of the chain."""

    help = "Write the chained audit trail to standard output, for a SIEM."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the format, the place to begin behind, and whether to go on."""
        parser.add_argument("--format", choices=("jsonl", "syslog"), default="jsonl")
        parser.add_argument(
            "--since",
            type=int,
            default=0,
            metavar="PLACE",
            help="begin behind this place of the chain (default: at the beginning)",
        )
        parser.add_argument(
            "--follow", action="store_true", help="go on with new lines until stopped"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write; Ctrl-C ends it quietly."""
        after = max(0, options["since"])
        audit.record_export(
            ACTOR,
            AuditEntry,
            rows="all" if not after else f"behind place {after}",
            kind=options["format"],
            query="",
        )
        try:
            after = self._write(after, options["format"])
            while options["follow"]:
                time.sleep(WAIT_SECONDS)
                close_old_connections()
                after = self._write(after, options["format"])
        except (KeyboardInterrupt, BrokenPipeError):
            return

    def _write(self, after: int, kind: str) -> int:
        for entry in audit_export.chained(after):
            line = (
                audit_export.as_json(entry)
                if kind == "jsonl"
                else audit_export.as_syslog(entry).decode()
            )
            self.stdout.write(line)
            after = entry.position or after
        self.stdout.flush()
        return after

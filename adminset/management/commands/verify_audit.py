"""`manage.py verify_audit [--from PLACE] [--anchors FILE]`: finds what was changed, removed or slipped into the audit trail."""

import sys
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from adminset import audit_anchors, audit_forward, audit_triggers
from adminset.audit_verify import Verification, Witness
from adminset.errors import DomainError
from adminset.models import AuditChain
from adminset.progress import Bar

MOST_FINDINGS = 200


class Command(BaseCommand):
    """Walks the chain; exit code 1 when something is wrong."""

    help = "Verify the audit trail: names every line that was changed, removed or slipped in."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take where to begin and what to compare with."""
        parser.add_argument(
            "--from",
            dest="start",
            type=int,
            default=1,
            metavar="PLACE",
            help="place to begin with; what stands before it is believed",
        )
        parser.add_argument(
            "--anchors",
            metavar="FILE",
            help="anchors to hold the chain against (default: ADMINSET_AUDIT_ANCHOR_FILE)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Walk, say what is wrong, and how it ended."""
        start = max(1, options["start"])
        end = AuditChain.objects.order_by("pk").first()
        places = end.position if end else 0
        if start > max(1, places):
            raise CommandError(
                f"The chain reaches place {places}; begin there or before."
            )
        total = max(0, places - start + 1)
        witnesses = self._witnesses(options["anchors"])
        with Bar(self.stderr, total, "lines") as bar:
            walk = Verification(start, witnesses, bar.advance)
            found = walk.findings()
            count = 0
            for finding in islice(found, MOST_FINDINGS):
                count += 1
                self.stdout.write(finding.sentence)
            count += sum(1 for _finding in found)
        self._end(walk, count, len(witnesses))

    def _witnesses(self, given: str | None) -> list[Witness]:
        path = Path(given or settings.AUDIT_ANCHOR_FILE or "/nowhere")
        anchors = []
        if given or path.exists():
            try:
                anchors = list(audit_anchors.read(path))
            except DomainError as error:
                raise CommandError(f"{error.message} {error.hint}") from error
        return [*anchors, *audit_forward.witness()]

    def _end(self, walk: Verification, count: int, witnesses: int) -> None:
        if missing := audit_triggers.missing(connection):
            self.stderr.write(
                f"Note: the database does not refuse changes by itself (missing: {', '.join(missing)}). See docs/audit.md."
            )
        if count > MOST_FINDINGS:
            self.stdout.write(f"... and {count - MOST_FINDINGS:,} more.")
        if walk.walked and walk.changed == walk.walked:
            self.stdout.write(
                "No line bears a seal of these keys: was ADMINSET_AUDIT_KEYS changed? Put the old key behind the new one."
            )
        looked = f"{walk.walked:,} chained lines, held against {witnesses:,} anchors"
        if count:
            noun = "finding" if count == 1 else "findings"
            self.stdout.write(
                f"The audit trail is NOT whole: {count:,} {noun} in {looked}."
            )
            sys.exit(1)
        self.stdout.write(f"The audit trail is whole: {looked}.")

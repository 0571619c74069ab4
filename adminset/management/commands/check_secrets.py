"""Opens every stored secret and says which cannot be opened, under which keys they lie, and what is guarded badly."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from adminset import crypto, secret_checks


class Command(BaseCommand):
    """`manage.py check_secrets`: exit code 1 when something is wrong; shows no secret."""

    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Check and tell."""
        held = list(crypto.ring())
        self.stdout.write(
            f"Key ring: {', '.join(held)}. {held[0]} seals what is saved from now on."
        )
        bad = sum([self._columns(held), self._warnings()])
        self.stdout.write(
            "All stored secrets open and are guarded well."
            if not bad
            else f"{bad} faults."
        )
        if bad:
            sys.exit(1)

    def _columns(self, held: list[str]) -> int:
        bad = 0
        for column, counts, troubles in secret_checks.every_column():
            lines = [
                f"{number} under {key or 'no key of ours'}"
                + ("" if key in held or not key else " (not on the ring)")
                for key, number in sorted(counts.items())
            ]
            self.stdout.write(f"{column.label}: {', '.join(lines) or 'nothing'}")
            for trouble in troubles:
                self.stderr.write(str(trouble))
            bad += len(troubles)
        return bad

    def _warnings(self) -> int:
        found = secret_checks.warnings()
        for words in found:
            self.stderr.write(words)
        return len(found)

"""`manage.py metrics_migrate`: brings measurements that a version before the tiers has stored into them, all at once."""

import math
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from adminset.errors import DomainError
from monitor import services


class Command(BaseCommand):
    """Do at once what upkeep does bit by bit each minute."""

    help = "Bring measurements of an older version of AdminSet into the tiers now; upkeep does the same, a little each minute."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; a sentence instead of a traceback where it cannot be done."""
        try:
            moved = services.migrate(math.inf)
        except DomainError as error:
            raise CommandError(f"{error.message} {error.hint}") from error
        if not moved:
            self.stdout.write("There are no measurements of an older version.")
            return
        self.stdout.write(
            f"{moved.samples} samples and {moved.hours} hours were brought over."
        )
        if moved.lost:
            raise CommandError(
                f"{moved.lost} documents cannot be read any more: they are damaged, or the names of their numbers are gone."
            )

"""`manage.py metrics_verify`: compares the tiers with the samples where both are kept, and says each difference."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from adminset.errors import DomainError
from monitor.checking import Difference
from monitor.metric_store import store

# What may be printed of one host; the rest is counted.
MOST_SHOWN = 100


class Command(BaseCommand):
    """Look, and end with 1 where something differs."""

    help = "Compare the roll-ups of all hosts, or of some, with the samples that are still kept; ends with 1 where they differ."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the hosts."""
        parser.add_argument("hosts", nargs="*", type=int, help="keys of hosts")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; a sentence instead of a traceback where it cannot be done."""
        faults = 0
        try:
            hosts = options["hosts"] or store().hosts()
            for host_id in hosts:
                found = store().differences(host_id)
                faults += len(found)
                for each in found[:MOST_SHOWN]:
                    self.stdout.write(_sentence(each))
                if len(found) > MOST_SHOWN:
                    self.stdout.write(
                        f"host {host_id}: {len(found) - MOST_SHOWN} more differences"
                    )
        except DomainError as error:
            raise CommandError(f"{error.message} {error.hint}") from error
        if faults:
            raise CommandError(f"{faults} differences in {len(hosts)} hosts.")
        self.stdout.write(f"{len(hosts)} hosts: the tiers say what the samples say.")


def _sentence(found: Difference) -> str:
    moment = datetime.fromtimestamp(found.time, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return (
        f"host {found.host_id}, {found.tier}, {moment}, {found.metric}: {found.field} is "
        f"{found.stored:.17g}, the samples say {found.computed:.17g}"
    )

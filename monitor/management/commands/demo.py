"""`manage.py demo`: fills a running portal with a believable company and a week of its measurements."""

import random
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from adminset.errors import DomainError
from monitor import demo_company, demo_week
from monitor.metric_store import store


class Command(BaseCommand):
    """Make the company, then its week."""

    help = "Fill the portal with an invented company: 3 IDCs, 40 cabinets, 600 hosts, 7 days of measurements."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; a sentence instead of a traceback where it cannot be done."""
        chance = random.Random(7)  # noqa: S311 - a demo that looks the same each time
        try:
            company = demo_company.found(chance)
            self.stdout.write(
                f"{company.idcs} IDCs, {company.cabinets} cabinets, {len(company.hosts)} hosts."
            )
            for done in demo_week.fill(store(), company.hosts, time.time(), chance):
                if done % 50 == 0 or done == len(company.hosts):
                    self.stdout.write(
                        f"  measurements of {done} of {len(company.hosts)} hosts"
                    )
        except DomainError as error:
            raise CommandError(f"{error.message} {error.hint}") from error
        self.stdout.write(
            "The demo company is there. Open the fleet page under Monitoring."
        )

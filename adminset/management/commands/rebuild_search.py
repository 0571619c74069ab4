"""`manage.py rebuild_search`: bring what the search knows in step with all objects."""

from typing import Any

from django.core.management.base import BaseCommand

from adminset.crud import search_terms


class Command(BaseCommand):
    """Walks all objects; the portal may run meanwhile."""

    help = "Bring what the search knows in step with all objects."

    def handle(self, *args: Any, **options: Any) -> None:
        """Say of each kind what was missing and what was wrong."""
        for label, (added, dropped) in search_terms.rebuild_all().items():
            if added or dropped:
                self.stdout.write(f"{label}: {added} terms added, {dropped} dropped.")
        self.stdout.write("The search is in step with all objects.")

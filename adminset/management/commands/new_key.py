"""Makes a key for a ring that is given by the environment, and prints it: the one command that shows a key."""

from typing import Any

from django.core.management.base import BaseCommand

from adminset import keyring


class Command(BaseCommand):
    """`manage.py new_key`: prints `<id>:<key>`; nothing is stored."""

    help = __doc__
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        self.stdout.write(keyring.new_encryption_key())

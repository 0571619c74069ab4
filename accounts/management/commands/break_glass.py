"""Opens the portal when nobody can sign in: an administrator for a few hours, its password printed once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import break_glass as services
from adminset.audit import SystemActor

MOST_HOURS = 72


class Command(BaseCommand):
    """`manage.py break_glass [--hours 4]`."""

    help = "Make the administrator break-glass for a few hours; prints its password, once, on standard output."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take how long it holds."""
        parser.add_argument(
            "--hours",
            type=int,
            default=4,
            help=f"how long it may sign in, 1 to {MOST_HOURS} (default 4)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the password alone on standard output, what it is for on standard error."""
        hours = options["hours"]
        if not 1 <= hours <= MOST_HOURS:
            raise CommandError(f"--hours wants 1 to {MOST_HOURS}.")
        actor = SystemActor("command line")
        user, password = services.break_glass(actor=actor, hours=hours)
        until = f"{user.expires_at:%Y-%m-%d %H:%M} UTC"
        self.stderr.write(f"Sign in as {user} until {until}; the audit trail says so.")
        self.stdout.write(password)

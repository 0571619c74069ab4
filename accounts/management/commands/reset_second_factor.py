"""`manage.py reset_second_factor <user>`: for the day when the telephone and the recovery codes are gone."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.services.second_factor import reset
from adminset.audit import SystemActor


class Command(BaseCommand):
    """Takes the second factor of a user away."""

    help = "Take away the second factor of a user; the user's sessions end."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the user's name."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it.

        Raises:
            CommandError: there is no such user.
        """
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']!r}.")
        reset(actor=SystemActor("command line"), user=user)
        self.stdout.write(f"{user} signs in without a second factor now.")

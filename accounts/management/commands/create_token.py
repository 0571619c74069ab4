"""Makes an API token for a user and prints its text once, alone on the last line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.forms.tokens import LONGEST_TOKEN_DAYS
from accounts.models import User
from accounts.services import tokens as services
from adminset.audit import SystemActor


class Command(BaseCommand):
    """`manage.py create_token USER [--name NAME] [--days DAYS] [--write]`."""

    help = (
        "Make an API token for a user; prints <prefix>.<secret> alone on its last line."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take whose token it is, what it is for, how long it lives and what it may do."""
        parser.add_argument("user", help="user name")
        parser.add_argument(
            "--name", default="command line", help="what uses the token"
        )
        parser.add_argument(
            "--days",
            type=int,
            default=services.TOKEN_DAYS,
            help=f"days until it expires (1 to {LONGEST_TOKEN_DAYS}, default %(default)s)",
        )
        parser.add_argument("--write", action="store_true", help="it may change things")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        if not user.is_active:
            raise CommandError(
                f"The user {user} may not sign in, so a token would not work."
            )
        if not 1 <= options["days"] <= LONGEST_TOKEN_DAYS:
            raise CommandError(f"--days must be from 1 to {LONGEST_TOKEN_DAYS}.")
        _token, text = services.create_token(
            actor=SystemActor("manage.py create_token"),
            user=user,
            name=options["name"][:100],
            days=options["days"],
            can_write=options["write"],
        )
        self.stdout.write(text)

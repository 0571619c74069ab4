"""Gives a user a new password, for one that was lost; reads it from the terminal or standard input, never from arguments."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from accounts.services import users as services
from adminset.audit import SystemActor
from adminset.errors import DomainError


class Command(BaseCommand):
    """`manage.py set_password USER`."""

    help = "Set a user's password; asks for it, or reads one line of standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the user's name only."""
        parser.add_argument("user", help="user name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Set the password; the user's sessions end."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        try:
            actor = SystemActor("manage.py set_password")
            services.set_password(actor=actor, user=user, password=self._read())
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{user} has a new password.")

    @staticmethod
    def _read() -> str:
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\r\n")
        password = getpass.getpass("New password: ")
        if getpass.getpass("New password again: ") != password:
            raise CommandError("The two passwords differ.")
        return password

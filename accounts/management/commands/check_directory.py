"""`manage.py check_directory <user>`: tries the directory step by step and says what it finds; asks for no password."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import directory
from adminset.errors import DomainError


class Command(BaseCommand):
    """Looks somebody up in the directory."""

    help = "Look up a user in the directory and say what would be read at sign-in."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the name to look for."""
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look.

        Raises:
            CommandError: nothing is configured, nobody answers, or there is not exactly one such entry.
        """
        if not directory.is_configured():
            raise CommandError("ADMINSET_LDAP_URL is not set.")
        self.stdout.write(f"servers: {', '.join(settings.LDAP_URLS)}")
        self.stdout.write(f"signed in as: {settings.LDAP_BIND_DN or 'nobody'}")
        try:
            person = directory.find(options["username"])
        except DomainError as error:
            raise CommandError(f"{error.message} {error.hint}") from error
        if person is None:
            raise CommandError(
                f"There is not exactly one entry for {options['username']!r} below "
                f"{settings.LDAP_BASE_DN!r} by {settings.LDAP_USER_FILTER!r}."
            )
        for name in ("dn", "unique_id", "username", "display_name", "email"):
            self.stdout.write(f"{name}: {getattr(person, name)}")
        self.stdout.write(f"groups: {'; '.join(person.groups) or 'none'}")

"""Replaces an API token by one with the same limits and prints its text once, alone on the last line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import ApiToken
from accounts.services import tokens as services
from adminset.audit import SystemActor
from adminset.errors import DomainError


class Command(BaseCommand):
    """`manage.py rotate_token PREFIX`."""

    help = (
        "Replace an API token by one with the same limits and a life of the same length; the old one works for "
        "ADMINSET_TOKEN_OVERLAP_HOURS more. Prints <prefix>.<secret> alone on its last line."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the prefix: the secret stands in no argument."""
        parser.add_argument("prefix", help="the token's prefix, before the dot")

    def handle(self, *args: Any, **options: Any) -> None:
        """Replace the token."""
        token = ApiToken.objects.filter(prefix=options["prefix"]).first()
        if token is None:
            raise CommandError("There is no token with this prefix.")
        actor = SystemActor("manage.py rotate_token")
        try:
            _made, text = services.rotate_token(actor=actor, token=token)
        except DomainError as error:
            raise CommandError(f"{error.message} {error.hint}") from error
        token.refresh_from_db()
        self.stdout.write(f"{token} works until {token.expires_at:%Y-%m-%d %H:%M} UTC.")
        self.stdout.write(text)

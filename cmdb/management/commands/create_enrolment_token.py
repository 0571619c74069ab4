"""Makes an enrolment token on the command line and prints it alone on the last line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from adminset.audit import SystemActor
from cmdb.models import HostGroup
from cmdb.services import tokens


class Command(BaseCommand):
    """`manage.py create_enrolment_token NAME [--agents N] [--hours H] [--group G]`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what the token is good for."""
        parser.add_argument("name", help="what the token is for")
        parser.add_argument("--agents", type=int, default=1, help="how many it lets in")
        parser.add_argument("--hours", type=float, default=24, help="how long")
        parser.add_argument("--group", default="", help="put hosts into this group")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it."""
        group = HostGroup.objects.filter(name=options["group"]).first()
        if options["group"] and group is None:
            raise CommandError(f"There is no host group {options['group']!r}.")
        if group is not None and group.is_dynamic:
            raise CommandError(f"{group} is dynamic: hosts come by its filter only.")
        if not 1 <= options["agents"] <= 100_000 or options["hours"] <= 0:
            raise CommandError("--agents is from 1 to 100000, --hours more than 0.")
        _token, plain = tokens.create_enrolment_token(
            actor=SystemActor("command line"),
            name=options["name"][:100],
            use_limit=options["agents"],
            days=options["hours"] / 24,
            group=group,
        )
        self.stdout.write(plain)

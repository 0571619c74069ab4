"""Makes a database ready for use: tables, the first administrator, shipped roles, usual statuses; tells in JSON."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from accounts.services import setup as accounts
from adminset.audit import SystemActor
from adminset.errors import DomainError
from cmdb import extensions
from cmdb.services import relations, setup, tokens

ACTOR = SystemActor("set-up")
TOKEN_DAYS = 1 / 24


class Command(BaseCommand):
    """`manage.py prepare_portal [--enrolment-token]`: safe to run at every start."""

    help = __doc__
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the switch."""
        parser.add_argument(
            "--enrolment-token",
            action="store_true",
            help="make a token that enrols one agent within an hour",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare; the last line of the output is one JSON object."""
        try:
            told = prepare(wants_token=options["enrolment_token"])
        except (DomainError, ImproperlyConfigured, DatabaseError) as error:
            hint = getattr(error, "hint", "")
            line = " ".join(f"{error} {hint}".split())
            self.stderr.write(line)
            sys.exit(1)
        self.stdout.write(json.dumps(told))


def prepare(*, wants_token: bool) -> dict[str, str | None]:
    """Bring the database up to date and fill in what every portal has."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
    administrator = accounts.ensure_first_administrator()
    accounts.ensure_shipped_roles()
    setup.ensure_statuses(actor=ACTOR)
    relations.ensure_kinds(actor=ACTOR)
    setup.catch_up()
    for join in extensions.portal_prepared:
        join(ACTOR)
    plain = None
    if wants_token:
        _token, plain = tokens.create_enrolment_token(
            actor=ACTOR, name="this machine", days=TOKEN_DAYS
        )
    return {**administrator, "enrolment_token": plain}

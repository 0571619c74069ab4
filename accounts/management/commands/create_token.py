"""Makes an API token for a user and prints its text once, alone on the last line."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts import selectors, token_selectors
from accounts.models import User
from accounts.services import tokens as services
from accounts.token_models import default_days
from adminset import networks, scopes
from adminset.audit import SystemActor

# The kind of scope that `--group` names; what else there is, the page offers.
GROUPS = "cmdb.hostgroup"


class Command(BaseCommand):
    """`manage.py create_token USER [--name NAME] [--days DAYS] [--write] [--permission P] [--group G] [--network N]`."""

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
            default=default_days(),
            help=f"days until it expires (1 to {settings.TOKEN_MAX_DAYS}, default %(default)s)",
        )
        parser.add_argument("--write", action="store_true", help="it may change things")
        for name, told in (
            ("permission", "only this permission, such as cmdb.view_host"),
            ("group", "only the hosts of this host group"),
            ("network", "only from this network, such as 10.1.0.0/16"),
        ):
            parser.add_argument(
                f"--{name}",
                action="append",
                default=[],
                metavar=name.upper(),
                dest=f"{name}s",
                help=f"{told}; may be given several times",
            )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token."""
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['user']!r}.")
        if not user.may_sign_in:
            raise CommandError(
                f"The user {user} may not sign in, so a token would not work."
            )
        if not 1 <= options["days"] <= settings.TOKEN_MAX_DAYS:
            raise CommandError(f"--days must be from 1 to {settings.TOKEN_MAX_DAYS}.")
        _token, text = services.create_token(
            actor=SystemActor("manage.py create_token"),
            user=user,
            name=options["name"][:100],
            days=options["days"],
            can_write=options["write"],
            permissions=_held(user, options["permissions"]),
            scope_ids={GROUPS: _groups(options["groups"])},
            networks=_checked(options["networks"]),
        )
        self.stdout.write(text)


def _held(user: User, wanted: list[str]) -> list[str]:
    held = selectors.names_of(token_selectors.permissions_held(user))
    if unknown := sorted(set(wanted) - held):
        raise CommandError(f"{user} does not hold {', '.join(unknown)}.")
    return wanted


def _groups(wanted: list[str]) -> list[int]:
    kind = next((each for each in scopes.all_kinds() if each.kind == GROUPS), None)
    rows = kind.all_rows().filter(name__in=wanted) if kind and wanted else ()
    found = {row.name: row.pk for row in rows}
    if unknown := sorted(set(wanted) - set(found)):
        raise CommandError(f"There is no host group {', '.join(unknown)}.")
    return sorted(found.values())


def _checked(wanted: list[str]) -> list[str]:
    try:
        networks.validate(wanted)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return wanted

"""`manage.py maintenance on|off|state`: the same switch as on the page, for scripts and for the day when nobody comes in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from adminset import maintenance
from adminset.audit import SystemActor


class Command(BaseCommand):
    """Turns maintenance on or off."""

    help = "Turn maintenance on or off, or say whether it is on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what to do and what the others read."""
        parser.add_argument("what", choices=("on", "off", "state"))
        parser.add_argument(
            "--message", default="", help="what those who are turned away read"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and say how it stands."""
        if options["what"] != "state":
            maintenance.switch(
                actor=SystemActor("command line"),
                on=options["what"] == "on",
                message=options["message"],
            )
        state = maintenance.state()
        words = f"on since {state['since']}" if state else "off"
        self.stdout.write(f"Maintenance is {words}.")

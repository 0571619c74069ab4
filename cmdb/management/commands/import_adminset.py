"""Brings the data of an AdminSet 0.5 or 0.6 over: a dry run with a report, unless --apply is given."""

import re
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from cmdb.coming.run import bring_over
from cmdb.coming.source import Unreadable, opened


class Command(BaseCommand):
    """`manage.py import_adminset --database-url URL [--apply] [--skip-problems] [--report FILE] [--currency CNY]`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where AdminSet's database is, and what to do."""
        parser.add_argument(
            "--database-url",
            required=True,
            help="mysql://user:password@host:3306/adminset or sqlite:////path/db.sqlite3; "
            "- reads it from standard input, where no list of processes shows the password",
        )
        parser.add_argument(
            "--apply", action="store_true", help="write; else a dry run"
        )
        parser.add_argument(
            "--skip-problems",
            action="store_true",
            help="write though some rows cannot be brought over: those are left out",
        )
        parser.add_argument(
            "--report", default="", help="write every row into this file"
        )
        parser.add_argument(
            "--currency", default="CNY", help="of amounts that name none (CNY)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring it over."""
        if not re.fullmatch("[A-Z]{3}", options["currency"]):
            raise CommandError("--currency is three letters, such as CNY or EUR.")
        url = options["database_url"]
        try:
            with opened(sys.stdin.readline().strip() if url == "-" else url) as source:
                report, kept = bring_over(
                    source,
                    currency=options["currency"],
                    apply=options["apply"],
                    skip_problems=options["skip_problems"],
                )
        except Unreadable as error:
            raise CommandError(str(error)) from error
        for line in report.summary():
            self.stdout.write(line)
        self._write(report, options["report"], kept)
        if options["apply"] and not kept:
            raise CommandError(
                f"Nothing was written: {len(report.problems)} rows cannot be brought over. "
                "Correct them in AdminSet, or leave them out by --skip-problems."
            )
        self.stdout.write(
            "Done." if kept else "A dry run: nothing was written. Add --apply to write."
        )

    def _write(self, report: Any, path: str, kept: bool) -> None:
        if path:
            try:
                report.write(path, applied=kept)
            except OSError as error:
                raise CommandError(f"{path} cannot be written: {error}") from error

"""`manage.py metrics_size`: says how large each tier is, and how large it will be."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from adminset.errors import DomainError
from monitor.metric_store import store
from monitor.prometheus.lanes import owner_of
from monitor.sizes import Fleet, TierSize, total

LINE = "{:<12}{:>12}{:>14}{:>16}{:>10}{:>16}"
SAMPLED_HOSTS = 50
USUAL_SERIES = 90


class Command(BaseCommand):
    """Measure and forecast."""

    help = "Say how large each tier of the measurements is now, and how large when all of its time is filled."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what the forecast is about."""
        parser.add_argument("--hosts", type=int, help="default: those that report")
        parser.add_argument("--series", type=int, help="of a host; default: as now")
        parser.add_argument(
            "--seconds", type=float, default=settings.AGENT_SAMPLE_SECONDS
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run; a sentence instead of a traceback where it cannot be done."""
        try:
            fleet = _fleet(options)
            found = store().sizes(fleet)
            custom = store().custom_series(store().hosts())
        except DomainError as error:
            raise CommandError(f"{error.message} {error.hint}") from error
        head = ("tier", "documents", "size now", "bytes a cell", "days", "forecast")
        self.stdout.write(LINE.format(*head))
        for size in found:
            self.stdout.write(_row(size))
        now, later = total(found)
        self.stdout.write(LINE.format("all", "", shown(now), "", "", shown(later)))
        for host_id, series in custom.items():
            if series.left_out:
                self.stdout.write(
                    f"host {host_id}: {series.left_out} custom series too many were left out, such as {series.examples[-1]}"
                )
        self.stdout.write(
            f"Forecast for {fleet.hosts} hosts with {fleet.series} series each, a sample each {fleet.sample_seconds:g} s."
        )


def _fleet(options: Any) -> Fleet:
    hosts = sorted({owner_of(key) for key in store().hosts()})
    some = store().latest(hosts[:SAMPLED_HOSTS]).values()
    series = [len(newest.values) for newest in some]
    usual = round(sum(series) / len(series)) if series else USUAL_SERIES
    return Fleet(
        options["hosts"] or len(hosts), options["series"] or usual, options["seconds"]
    )


def _row(size: TierSize) -> str:
    return LINE.format(
        size.tier,
        size.documents,
        shown(size.bytes),
        f"{size.cell_bytes:.2f}",
        f"{size.days:g}",
        shown(size.forecast),
    )


def shown(size: float) -> str:
    """Give bytes as people read them."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"

"""Reads deploys out of the database for the figures, as far as somebody may see them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, Min, OuterRef, QuerySet, Subquery
from django.utils import timezone

from delivery.history.figures import Figures, Shipment, figures_of
from delivery.models import Deploy, DeployHost, DeployStep

Status = Deploy.Status
PERIODS = (7, 30, 90, 365)
# A period that is longer than any has deploys enough: the page stays quick.
MOST_DEPLOYS = 20_000
REACHED = (
    DeployHost.Status.SWITCHED,
    DeployHost.Status.OK,
    DeployHost.Status.FAILED,
    DeployHost.Status.ROLLED_BACK,
)


@dataclass(frozen=True)
class Line:
    """The figures of one project in one environment."""

    project: Any
    environment: Any
    figures: Figures


def deploys_of(user: Any, begin: datetime, **narrowed: Any) -> QuerySet[Deploy]:
    """Give the deploys that ended since a moment, that the user may see; cancelled ones that reached no host are none."""
    rows = Deploy.objects.visible_to(user).filter(ended_at__gte=begin)
    return rows.filter(**narrowed)


def shipments_of(rows: QuerySet[Deploy]) -> Iterator[tuple[tuple[int, int], Shipment]]:
    """Give what the figures need of deploys, with the keys of project and environment."""
    hosts = DeployHost.objects.filter(deploy=OuterRef("pk"), status__in=REACHED)
    switches = DeployStep.objects.filter(
        deploy=OuterRef("pk"), kind=DeployStep.Kind.ACTIVATE, started_at__isnull=False
    )
    first = switches.order_by().values("deploy").annotate(at=Min("started_at"))
    told = rows.annotate(
        reached=Exists(hosts), switched=Subquery(first.values("at"))
    ).values_list(
        "environment__project",
        "environment",
        "kind",
        "status",
        "ended_at",
        "reached",
        "switched",
        "artefact__committed_at",
    )
    for project, place, kind, status, ended, reached, at, committed in told[
        :MOST_DEPLOYS
    ]:
        if ended is None:
            continue
        well = status == Status.OK
        yield (
            (project, place),
            Shipment(
                place=place,
                back=kind == Deploy.Kind.ROLLBACK,
                well=well,
                reached=well or reached,
                ended_at=ended,
                went_back=status in (Status.ROLLED_BACK, Status.CANCELLED),
                switched_at=at if reached else None,
                committed_at=committed,
            ),
        )


def gathered(
    user: Any, days: int, **narrowed: Any
) -> tuple[Figures, dict[tuple[int, int], Figures]]:
    """Give the figures of the last days: of all deploys, and by (project, environment)."""
    end = timezone.now()
    begin = end - timedelta(days=days)
    rows = deploys_of(user, begin, **narrowed).order_by("ended_at")
    parts: dict[tuple[int, int], list[Shipment]] = {}
    for key, shipment in shipments_of(rows):
        parts.setdefault(key, []).append(shipment)
    every = [shipment for part in parts.values() for shipment in part]
    lines = {key: figures_of(part, begin, end) for key, part in parts.items()}
    return figures_of(every, begin, end), lines

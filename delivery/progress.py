"""How far a deploy is: by steps that ended, and within a step by its real work (bytes, hosts)."""

from collections.abc import Iterable

from django.db.models import (
    Avg,
    Case,
    F,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Least

from delivery.models import Deploy, DeployStep

_ENDED = ~Q(status__in=DeployStep.OPEN)
_SHARE = Case(
    When(_ENDED, then=Value(1.0)),
    When(
        total__gt=0,
        then=Least(
            Cast(F("done"), FloatField()) / Cast(F("total"), FloatField()), Value(1.0)
        ),
    ),
    default=Value(0.0),
    output_field=FloatField(),
)


def percent_of(steps: Iterable[DeployStep]) -> float | None:
    """Give how much of some steps is done, 0 to 100; None where there is no step yet."""
    shares = [_share(step) for step in steps]
    return 100 * sum(shares) / len(shares) if shares else None


def _share(step: DeployStep) -> float:
    if not step.is_open:
        return 1.0
    return min(step.done / step.total, 1.0) if step.total else 0.0


def with_progress(rows: QuerySet[Deploy]) -> QuerySet[Deploy]:
    """Bring `progress`, 0 to 100, along with deploys; None where there is no step yet."""
    steps = DeployStep.objects.filter(deploy=OuterRef("pk")).order_by()
    shares = steps.values("deploy").annotate(share=100 * Avg(_SHARE))
    return rows.annotate(
        progress=Subquery(shares.values("share"), output_field=FloatField())
    )

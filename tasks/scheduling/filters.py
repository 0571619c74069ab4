"""How the list of schedules is narrowed."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import (
    BooleanFilter,
    FilterSet,
    MultipleChoiceFilter,
)

from tasks.models import Schedule
from tasks.schedule_models import RESULTS


class ScheduleFilter(FilterSet):
    """Schedules by kind, last result, and whether they are on or fail."""

    kind = MultipleChoiceFilter(label=_("kind"), choices=Schedule.Kind.choices)
    last_result = MultipleChoiceFilter(
        label=_("last result"),
        choices=[(key, word) for key, (_state, word) in RESULTS.items()],
    )
    failing = BooleanFilter(label=_("fails"), method="by_failures")

    class Meta:
        model = Schedule
        fields = ("kind", "enabled", "last_result")

    def by_failures(self, rows: QuerySet, name: str, value: bool | None) -> QuerySet:
        """Narrow to those whose last run failed, or to the others."""
        if value is None:
            return rows
        return rows.filter(failures__gt=0) if value else rows.filter(failures=0)

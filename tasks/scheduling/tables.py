"""The lists of schedules and calendars."""

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from tasks.models import Calendar, Schedule

AGO = "{% ago value %}"
NUMBER = {"td": {"class": "num"}}


class ScheduleTable(ResourceTable):
    """Schedules, as the seeds show them: what, when, the last run and its result, how many, the next."""

    name = tables.Column(linkify=True)
    what = tables.Column(
        verbose_name=_("what"), orderable=False, attrs={"td": {"class": "wrap"}}
    )
    when = tables.Column(
        verbose_name=_("when"), orderable=False, attrs={"td": {"class": "wrap"}}
    )
    next_at = tables.TemplateColumn(
        "{% if value %}{% ago value %}{% else %}-{% endif %}"
    )
    last_run_at = tables.TemplateColumn(AGO)
    last_result = tables.TemplateColumn(
        "{% if record.result %}{% status_badge record.result.0 record.result.1 %}{% else %}-{% endif %}"
    )
    run_count = tables.Column(attrs=NUMBER)
    success_share = tables.TemplateColumn(
        "{% if value is None %}-{% else %}{{ value|floatformat:0 }} %{% endif %}",
        verbose_name=_("went well"),
        orderable=False,
        attrs=NUMBER,
    )
    average_seconds = tables.TemplateColumn(
        "{{ value|duration }}",
        verbose_name=_("takes on average"),
        orderable=False,
        attrs=NUMBER,
    )
    pace = tables.TemplateColumn(
        "{% translate 'How long the newest runs took' as title %}{% sparkline value label=title %}",
        verbose_name=_("newest runs"),
        orderable=False,
        exclude_from_export=True,
    )
    enabled = tables.TemplateColumn(template_name="tasks/_schedule_enabled.html")

    class Meta(ResourceTable.Meta):
        model = Schedule
        fields = (
            "name",
            "last_result",
            "last_run_at",
            "next_at",
            "run_count",
            "when",
            "what",
            "kind",
            "success_share",
            "average_seconds",
            "pace",
            "failures",
            "run_as",
            "enabled",
        )
        default_columns = (
            "name",
            "last_result",
            "last_run_at",
            "next_at",
            "run_count",
            "when",
            "what",
            "average_seconds",
            "pace",
            "enabled",
        )

    def value_enabled(self, value: Any) -> bool:
        """Give yes or no for exports."""
        return bool(value)

    def value_last_result(self, value: Any) -> str:
        """Give the word for exports."""
        return str(value or "")


class CalendarTable(ResourceTable):
    """Calendars."""

    name = tables.Column(linkify=True)
    times = tables.TemplateColumn(
        "{{ value|truncatechars:80 }}",
        attrs={"td": {"class": "wrap"}},
        orderable=False,
    )

    class Meta(ResourceTable.Meta):
        model = Calendar
        fields = ("name", "times", "time_zone", "warns_everywhere", "notes")

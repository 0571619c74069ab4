"""The lists of the room: runs, playbooks, schedules."""

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from tasks.models import Playbook, Run, Schedule

AGO = "{% ago value %}"


class PlaybookTable(ResourceTable):
    """Playbooks."""

    name = tables.Column(linkify=True)
    updated_at = tables.TemplateColumn(AGO, verbose_name=_("changed"))

    class Meta(ResourceTable.Meta):
        model = Playbook
        fields = ("name", "description", "updated_at")


class RunTable(ResourceTable):
    """Runs, newest first."""

    title = tables.Column(linkify=True, attrs={"td": {"class": "wrap"}})
    status = tables.TemplateColumn("{% status_badge record.state record.label %}")
    hosts = tables.TemplateColumn(
        "{{ record.ok_count }} / {{ record.host_count }}",
        verbose_name=_("ok / hosts"),
        order_by=("host_count",),
        attrs={"td": {"class": "num"}},
    )
    requested_by_name = tables.Column(verbose_name=_("started by"))
    schedule = tables.Column(linkify=True)
    created_at = tables.TemplateColumn(AGO, verbose_name=_("asked for"))
    duration = tables.TemplateColumn(
        "{{ value|duration }}",
        verbose_name=_("duration"),
        orderable=False,
        attrs={"td": {"class": "num"}},
    )

    class Meta(ResourceTable.Meta):
        model = Run
        fields = (
            "id",
            "title",
            "status",
            "kind",
            "hosts",
            "requested_by_name",
            "schedule",
            "created_at",
            "duration",
        )
        default_columns = (
            "title",
            "status",
            "kind",
            "hosts",
            "requested_by_name",
            "created_at",
            "duration",
        )

    def value_status(self, record: Run) -> str:
        """Give the word for exports."""
        return record.label


class ScheduleTable(ResourceTable):
    """Schedules, as the seeds show them: what, when, the last run, how many, the next."""

    name = tables.Column(linkify=True)
    what = tables.Column(verbose_name=_("what"), orderable=False)
    when = tables.Column(verbose_name=_("when"), orderable=False)
    last_run_at = tables.TemplateColumn(AGO)
    run_count = tables.Column(attrs={"td": {"class": "num"}})
    next_at = tables.TemplateColumn(
        "{% if value %}{% ago value %}{% else %}-{% endif %}",
        verbose_name=_("next run"),
        orderable=False,
    )
    enabled = tables.TemplateColumn(template_name="tasks/_schedule_enabled.html")

    class Meta(ResourceTable.Meta):
        model = Schedule
        fields = (
            "name",
            "kind",
            "what",
            "when",
            "last_run_at",
            "run_count",
            "next_at",
            "run_as",
            "enabled",
        )
        default_columns = (
            "name",
            "kind",
            "what",
            "when",
            "last_run_at",
            "run_count",
            "next_at",
            "enabled",
        )

    def value_enabled(self, value: Any) -> bool:
        """Give yes or no for exports."""
        return bool(value)

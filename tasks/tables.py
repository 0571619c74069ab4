"""The list of runs."""

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from tasks.models import Run

AGO = "{% ago value %}"


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
    what = tables.Column(
        verbose_name=_("what"), orderable=False, attrs={"td": {"class": "wrap"}}
    )
    task_module = tables.Column(linkify=True)
    playbook = tables.Column(linkify=True)
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
            "what",
            "task_module",
            "playbook",
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

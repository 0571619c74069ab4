"""The lists of workflows and of their runs."""

import django_filters
import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from tasks.models import Workflow, WorkflowRun

AGO = "{% ago value %}"


class WorkflowTable(ResourceTable):
    """Workflows: what, whose, when changed."""

    name = tables.Column(linkify=True)
    steps = tables.Column(
        accessor="step_count",
        verbose_name=_("steps"),
        orderable=False,
        attrs={"td": {"class": "num"}},
    )
    version = tables.Column(attrs={"td": {"class": "num"}})
    updated_at = tables.TemplateColumn(AGO, verbose_name=_("changed"))

    class Meta(ResourceTable.Meta):
        model = Workflow
        fields = (
            "name",
            "description",
            "steps",
            "version",
            "owner",
            "enabled",
            "updated_at",
        )


class WorkflowRunTable(ResourceTable):
    """Runs of workflows, newest first."""

    name = tables.Column(linkify=True)
    status = tables.TemplateColumn("{% status_badge record.state record.label %}")
    created_at = tables.TemplateColumn(AGO, verbose_name=_("started"))
    duration = tables.TemplateColumn(
        "{{ value|duration }}",
        verbose_name=_("duration"),
        orderable=False,
        attrs={"td": {"class": "num"}},
    )
    requested_by_name = tables.Column(verbose_name=_("started by"))

    class Meta(ResourceTable.Meta):
        model = WorkflowRun
        fields = (
            "id",
            "name",
            "status",
            "version",
            "requested_by_name",
            "created_at",
            "duration",
        )

    def value_status(self, record: WorkflowRun) -> str:
        """Give the word for exports."""
        return record.label


class WorkflowFilter(django_filters.FilterSet):
    """Workflows by whether they are on."""

    class Meta:
        model = Workflow
        fields = ("enabled",)


class WorkflowRunFilter(django_filters.FilterSet):
    """Runs of workflows by how they stand and who started them."""

    status = django_filters.MultipleChoiceFilter(
        label=_("status"), choices=WorkflowRun.Status.choices
    )
    requested_by_name = django_filters.CharFilter(
        label=_("started by"), lookup_expr="icontains"
    )
    created_at = django_filters.DateFromToRangeFilter(label=_("started"))

    class Meta:
        model = WorkflowRun
        fields = ("status", "requested_by_name", "created_at")

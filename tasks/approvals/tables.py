"""The lists of approvals and of their rules."""

import django_filters
import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from tasks.models import Approval, ApprovalRule

AGO = "{% ago value %}"


class ApprovalRuleTable(ResourceTable):
    """Rules: what for, who, how many."""

    name = tables.Column(linkify=True)
    kind_words = tables.Column(verbose_name=_("kinds of work"), orderable=False)
    needed = tables.Column(attrs={"td": {"class": "num"}})

    class Meta(ResourceTable.Meta):
        model = ApprovalRule
        fields = (
            "name",
            "description",
            "enabled",
            "automatic",
            "kind_words",
            "critical",
            "role",
            "needed",
        )


class ApprovalTable(ResourceTable):
    """Approvals, newest first."""

    title = tables.Column(linkify=True, attrs={"td": {"class": "wrap"}})
    status = tables.TemplateColumn(
        "{% status_badge record.state record.get_status_display %}"
    )
    created_at = tables.TemplateColumn(AGO, verbose_name=_("asked"))
    expires_at = tables.TemplateColumn(AGO)

    class Meta(ResourceTable.Meta):
        model = Approval
        fields = (
            "title",
            "status",
            "rule_name",
            "requested_by_name",
            "created_at",
            "expires_at",
        )

    def value_status(self, record: Approval) -> str:
        """Give the word for exports."""
        return str(record.get_status_display())


class ApprovalRuleFilter(django_filters.FilterSet):
    """Rules by whether they are on."""

    class Meta:
        model = ApprovalRule
        fields = ("enabled", "automatic")


class ApprovalFilter(django_filters.FilterSet):
    """Approvals by how they stand."""

    status = django_filters.MultipleChoiceFilter(
        label=_("status"), choices=Approval.Status.choices
    )
    requested_by_name = django_filters.CharFilter(
        label=_("asked by"), lookup_expr="icontains"
    )

    class Meta:
        model = Approval
        fields = ("status", "requested_by_name")

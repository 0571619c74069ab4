"""The lists of pushes, and of what was read back from hosts."""

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter
from adminset.crud.tables import ResourceTable
from delivery.models import ConfigDrift, ConfigPush

BADGE = "{% status_badge record.badge.state record.badge.label %}"
AGO = "{% ago value %}"


class ConfigPushTable(ResourceTable):
    """Pushes and readings, the newest first."""

    id = tables.Column(
        verbose_name="#", linkify=lambda record: record.get_absolute_url()
    )
    environment = tables.Column(linkify=True)
    status = tables.TemplateColumn(BADGE)
    what = tables.Column(
        verbose_name=_("files"), accessor="files", orderable=False, empty_values=()
    )
    created_at = tables.TemplateColumn(AGO, verbose_name=_("asked for"))

    class Meta(ResourceTable.Meta):
        model = ConfigPush
        fields = (
            "id",
            "kind",
            "environment",
            "status",
            "what",
            "requested_by_name",
            "reason",
            "created_at",
        )
        default_columns = fields

    def render_what(self, value: Any) -> str:
        """Name the files with their versions."""
        return self.value_what(value)

    def value_what(self, value: Any) -> str:
        """Name them in exports."""
        named = [f"{one.get('name')} v{one.get('number')}" for one in value[:5]]
        return ", ".join(named) + (" ..." if len(value) > len(named) else "")

    def value_status(self, value: str) -> str:
        """Give the word for exports."""
        return value


class ConfigDriftTable(ResourceTable):
    """Files on hosts, as they were read last."""

    file = tables.Column(linkify=lambda record: record.get_absolute_url())
    host = tables.Column(linkify=True)
    environment = tables.Column(linkify=True)
    state = tables.TemplateColumn(BADGE)
    since = tables.TemplateColumn(AGO)
    read_at = tables.TemplateColumn(AGO)
    found_changed_at = tables.TemplateColumn(AGO)

    class Meta(ResourceTable.Meta):
        model = ConfigDrift
        fields = (
            "file",
            "host",
            "environment",
            "state",
            "since",
            "found_changed_at",
            "found_mode",
            "found_owner",
            "explanation",
            "read_at",
        )
        default_columns = ("file", "host", "environment", "state", "since", "read_at")

    def value_state(self, value: str) -> str:
        """Give the word for exports."""
        return value


ConfigPushFilter = plain_filter(ConfigPush, "kind", "status", "environment")
ConfigDriftFilter = plain_filter(ConfigDrift, "state", "environment", "file")

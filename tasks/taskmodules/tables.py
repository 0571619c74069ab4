"""The list of task modules."""

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from tasks.models import TaskModule


class TaskModuleTable(ResourceTable):
    """Task modules."""

    title = tables.Column(linkify=True, attrs={"td": {"class": "wrap"}})
    file = tables.Column(verbose_name=_("file"))
    enabled = tables.BooleanColumn(verbose_name=_("enabled"))
    updated_at = tables.TemplateColumn("{% ago value %}", verbose_name=_("changed"))

    class Meta(ResourceTable.Meta):
        model = TaskModule
        fields = (
            "title",
            "name",
            "category",
            "description",
            "file",
            "enabled",
            "updated_at",
        )
        default_columns = ("title", "name", "category", "file", "enabled", "updated_at")

    def render_title(self, record: TaskModule) -> str:
        """Say it in the reader's language."""
        return str(record)

    def render_category(self, record: TaskModule) -> str:
        """Say it in the reader's language."""
        return record.category_said

    def value_enabled(self, value: Any) -> bool:
        """Give yes or no for exports."""
        return bool(value)

"""The lists of variables, configuration files and their versions."""

from typing import Any

import django_tables2 as tables
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from appconf.config.precedence import MASK
from appconf.models import ConfigFile, ConfigVersion, Variable

NUMBER = {"td": {"class": "num"}}
SHORTENED = 80
BADGE = "{% status_badge record.state record.get_status_display %}"


class VariableTable(ResourceTable):
    """Variables; of a secret one a mask."""

    name = tables.Column(linkify=True)
    whose = tables.Column(
        verbose_name=_("whose"), empty_values=(), orderable=False, attrs={}
    )
    value = tables.Column(empty_values=(), attrs={"td": {"class": "wrap"}})
    updated_at = tables.TemplateColumn("{% ago value %}", verbose_name=_("changed"))

    class Meta(ResourceTable.Meta):
        model = Variable
        fields = (
            "name",
            "level",
            "whose",
            "project",
            "value",
            "is_secret",
            "notes",
            "updated_at",
        )
        default_columns = ("name", "level", "whose", "value", "is_secret", "updated_at")

    def render_whose(self, record: Variable) -> str:
        """Name the owner."""
        return str(record.owner or "-")

    def value_whose(self, record: Variable) -> str:
        """Name the owner in exports."""
        return str(record.owner or "")

    def render_value(self, record: Variable) -> str:
        """Show the beginning of a value, a mask for a secret one."""
        if record.is_secret:
            return MASK
        text = record.value
        return f"{text[:SHORTENED]}..." if len(text) > SHORTENED else text

    def value_value(self, record: Variable) -> str:
        """Give the value, a mask for a secret one."""
        return MASK if record.is_secret else record.value


def with_newest(rows: QuerySet) -> QuerySet:
    """Bring along what a row of the files shows: the newest version, and how many wait."""
    newest = ConfigVersion.objects.filter(file=OuterRef("pk")).order_by("-number")
    waiting = ConfigVersion.objects.filter(file=OuterRef("pk"), status="waiting")
    counted = waiting.order_by().values("file").annotate(total=Count("pk"))
    return rows.select_related(
        "project", "environment__project", "pinned__file__project"
    ).annotate(
        version_number=Subquery(newest.values("number")[:1]),
        version_status=Subquery(newest.values("status")[:1]),
        waiting=Coalesce(Subquery(counted.values("total")), 0),
    )


class ConfigFileTable(ResourceTable):
    """Configuration files."""

    name = tables.Column(linkify=True)
    project = tables.Column(linkify=True)
    version_number = tables.Column(verbose_name=_("newest version"), attrs=NUMBER)
    version_status = tables.Column(verbose_name=_("status"))
    waiting = tables.Column(verbose_name=_("wait for approval"), attrs=NUMBER)
    updated_at = tables.TemplateColumn("{% ago value %}", verbose_name=_("changed"))

    class Meta(ResourceTable.Meta):
        model = ConfigFile
        fields = (
            "name",
            "project",
            "environment",
            "path",
            "version_number",
            "version_status",
            "waiting",
            "approval",
            "mode",
            "owner",
            "group",
            "drift_minutes",
            "updated_at",
        )
        default_columns = (
            "name",
            "project",
            "environment",
            "path",
            "version_number",
            "version_status",
            "waiting",
            "updated_at",
        )

    def render_environment(self, value: Any) -> str:
        """Name it without its project, which stands beside it."""
        return str(value.name)

    def render_version_status(self, value: str) -> str:
        """Say it in words."""
        return str(ConfigVersion.Status(value).label)

    def value_version_status(self, value: str) -> str:
        """Say it in exports."""
        return value


class ConfigVersionTable(ResourceTable):
    """Versions of all files, the newest first."""

    number = tables.Column(
        linkify=lambda record: record.get_absolute_url(), attrs=NUMBER
    )
    file = tables.Column(linkify=True)
    status = tables.TemplateColumn(BADGE)
    created_at = tables.TemplateColumn("{% ago value %}", verbose_name=_("created"))

    class Meta(ResourceTable.Meta):
        model = ConfigVersion
        fields = (
            "file",
            "number",
            "status",
            "author_name",
            "reason",
            "created_at",
            "decided_name",
            "decided_reason",
        )
        default_columns = (
            "file",
            "number",
            "status",
            "author_name",
            "reason",
            "created_at",
            "decided_name",
        )

    def value_status(self, value: str) -> str:
        """Give the word for exports."""
        return value

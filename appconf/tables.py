"""The columns of the room's lists."""

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _

from adminset.crud.tables import ResourceTable
from adminset.measures import filesize_iec
from adminset.querysets import seen
from appconf.models import Dependency, Environment, Package, Project
from cmdb.tables import CountColumn


class ProjectTable(ResourceTable):
    """Projects."""

    name = tables.Column(linkify=True)
    product_line = tables.Column(linkify=True)
    environment_count = CountColumn(verbose_name=_("environments"))

    class Meta(ResourceTable.Meta):
        model = Project
        fields = (
            "name",
            "product_line",
            "criticality",
            "language",
            "app_type",
            "owner",
            "code",
            "server_type",
            "architecture",
            "source_type",
            "source_address",
            "deploy_path",
            "on_call",
        )
        sequence = ("select", *fields[:5], "environment_count", *fields[5:], "actions")
        default_columns = (*fields[:6], "environment_count")


class EnvironmentTable(ResourceTable):
    """Environments."""

    name = tables.Column(linkify=True)
    project = tables.Column(linkify=True)
    host_count = CountColumn(verbose_name=_("single hosts"))
    groups = tables.Column(orderable=False, empty_values=())
    path = tables.Column(orderable=False, verbose_name=_("deploy path"))

    class Meta(ResourceTable.Meta):
        model = Environment
        fields = ("name", "project", "kind", "position", "groups", "path")
        sequence = ("select", *fields[:4], "host_count", *fields[4:], "actions")
        default_columns = (*fields, "host_count")

    def render_groups(self, record: Environment) -> str:
        """List the groups that the reader may see."""
        return self.value_groups(record)

    def value_groups(self, record: Environment) -> str:
        """Say them in an export."""
        rows = seen(self.request.user, record.groups.all())
        return ", ".join(str(group) for group in rows)


class DependencyTable(ResourceTable):
    """Dependencies."""

    project = tables.Column(linkify=lambda record: record.get_absolute_url())
    target = tables.Column(
        verbose_name=_("other project or host"), empty_values=(), orderable=False
    )

    class Meta(ResourceTable.Meta):
        model = Dependency
        fields = ("project", "kind", "target", "notes")
        sequence = ("select", *fields, "actions")

    def render_target(self, record: Dependency) -> Any:
        """Name what is needed, if the reader may see it."""
        other: Any = record.on_project or record.on_host
        return str(other) if seen(self.request.user, [other]) else "-"


class PackageTable(ResourceTable):
    """Packages."""

    name = tables.Column(linkify=True)
    size = tables.Column(attrs={"td": {"class": "num"}})
    project_count = CountColumn(verbose_name=_("projects"))

    class Meta(ResourceTable.Meta):
        model = Package
        fields = ("name", "version", "file_name", "size", "url", "sha256")
        sequence = ("select", *fields[:4], "project_count", *fields[4:], "actions")
        default_columns = (*fields[:5], "project_count")

    def render_size(self, value: int) -> str:
        """Say it in MiB."""
        return filesize_iec(value)

    def value_size(self, value: int | None) -> Any:
        """Give bytes to an export."""
        return value

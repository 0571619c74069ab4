"""The pages and REST endpoints of variables, configuration files and their versions."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from adminset.crud.forms import ResourceForm
from adminset.crud.resource import VERBS, Resource
from appconf.config import filters, panels, tables
from appconf.config.forms import OWNERS, SETTINGS, ConfigFileForm, VariableForm
from appconf.config.saving import (
    delete_file,
    delete_variable,
    save_file,
    save_variable,
)
from appconf.models import ConfigFile, ConfigVersion, Variable

FILE_TABS = ("appconf:configfile_list", "appconf:configversion_list")
FILE_FIELDS = ("project", "environment", "name", "path", *SETTINGS, "approval")
VARIABLE_FIELDS = ("name", "level", *OWNERS, "is_secret", "value", "notes")


class ConfigVersionForm(ResourceForm):
    """Names the fields of a version: it is never written by a form."""

    class Meta:
        model = ConfigVersion
        fields = ("reason",)


def _with_owners(rows: Any) -> Any:
    return rows.select_related(
        "product_line", "project", "environment__project", "host_group", "host"
    )


VARIABLES = Resource(
    model=Variable,
    table=tables.VariableTable,
    form=VariableForm,
    filterset=filters.VariableFilter,
    path="variables",
    icon="sliders",
    search=("name", "notes"),
    detail_fields=(*VARIABLE_FIELDS[:-1], "secret", "notes"),
    import_fields=VARIABLE_FIELDS,
    api_fields=VARIABLE_FIELDS,
    list_queryset=_with_owners,
    save=save_variable,
    delete=delete_variable,
)
CONFIG_FILES = Resource(
    model=ConfigFile,
    table=tables.ConfigFileTable,
    form=ConfigFileForm,
    filterset=filters.ConfigFileFilter,
    path="config-files",
    icon="file-lines",
    search=("name", "path"),
    tabs=FILE_TABS,
    panels=panels.FILE_PANELS,
    detail_fields=(*FILE_FIELDS, "pinned"),
    import_fields=FILE_FIELDS,
    api_fields=(*FILE_FIELDS, "pinned", "version_number", "version_status"),
    api_counts={"version_number": "version_number"},
    api_texts=("version_status",),
    list_queryset=tables.with_newest,
    save=save_file,
    delete=delete_file,
    verbs=VERBS - {"import"},
)
CONFIG_VERSIONS = Resource(
    model=ConfigVersion,
    table=tables.ConfigVersionTable,
    form=ConfigVersionForm,
    filterset=filters.ConfigVersionFilter,
    path="config-versions",
    icon="code-branch",
    search=("reason", "author_name", "file__name"),
    tabs=FILE_TABS,
    panels=panels.VERSION_PANELS,
    detail_fields=(
        "file",
        "number",
        "status",
        "author_name",
        "reason",
        "sha256",
        "decided_name",
        "decided_at",
        "decided_reason",
    ),
    api_fields=(
        "file",
        "number",
        "text",
        "sha256",
        "status",
        "author_name",
        "reason",
        "decided_name",
        "decided_at",
        "decided_reason",
    ),
    wide_fields=("text",),
    list_queryset=lambda rows: rows.select_related("file__project"),
    verbs=frozenset(),
    begins=_("A version comes with the text of a configuration file."),
)

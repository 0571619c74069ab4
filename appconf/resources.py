"""Projects, environments, dependencies and packages: one declaration each, pages and REST endpoints follow from it."""

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from adminset.crud.plain import plain_filter
from adminset.crud.resource import VERBS, Action, Panel, Resource
from adminset.querysets import seen
from appconf import extensions, forms, services, tables
from appconf.application import hosts_seen
from appconf.filters import EnvironmentFilter
from appconf.models import Dependency, Environment, Package, Project
from cmdb.models import Host, Installation

TABS = (
    "appconf:project_list",
    "appconf:environment_list",
    "appconf:dependency_list",
    "appconf:package_list",
)
MOST_ON_A_PANEL = 500


def _hosts_of(request: HttpRequest, environment: Environment) -> dict[str, Any]:
    rows: Any = hosts_seen(request.user, environment)
    return {
        "hosts": rows.for_list().order_by("hostname", "pk")[:MOST_ON_A_PANEL],
        "host_total": rows.count(),
    }


def _environment_rows(rows: models.QuerySet) -> models.QuerySet:
    return rows.select_related("project__product_line").prefetch_related("groups")


PROJECT = Resource(
    model=Project,
    table=tables.ProjectTable,
    form=forms.ProjectForm,
    filterset=plain_filter(
        Project, "product_line", "criticality", "language", "app_type", "source_type"
    ),
    path="projects",
    icon="cubes",
    search=("name", "code", "owner", "description", "product_line__name"),
    tabs=TABS,
    panels=tuple(extensions.project_panels),
    actions=(
        *extensions.project_actions,
        Action(
            _("Add environment"),
            "appconf:project_environment",
            "plus",
            "appconf.add_environment",
        ),
    ),
    bulk_fields=(
        "product_line",
        "owner",
        "on_call",
        "criticality",
        "language",
        "app_type",
        "server_type",
        "architecture",
    ),
    list_queryset=lambda rows: rows.select_related(
        "product_line", "source_credential"
    ).prefetch_related("packages"),
    counts={"environment": "environments"},
    save=services.save_project,
)
ENVIRONMENT = Resource(
    model=Environment,
    table=tables.EnvironmentTable,
    form=forms.EnvironmentForm,
    filterset=EnvironmentFilter,
    path="environments",
    icon="layer-group",
    search=("name", "code", "project__name", "project__code"),
    tabs=TABS,
    panels=(
        Panel(
            "hosts",
            _("Hosts"),
            "cmdb/_hosts.html",
            _hosts_of,
            "cmdb.view_host",
        ),
        *extensions.environment_panels,
    ),
    actions=tuple(extensions.environment_actions),
    detail_fields=(
        "project",
        "code",
        "kind",
        "position",
        "groups",
        "path",
        "config_folder",
        "notes",
    ),
    bulk_fields=("kind", "position", "notes"),
    list_queryset=_environment_rows,
    counts={"host": "hosts"},
    save=services.save_environment,
)
DEPENDENCY = Resource(
    model=Dependency,
    table=tables.DependencyTable,
    form=forms.DependencyForm,
    filterset=plain_filter(Dependency, "project", "kind", "on_project"),
    path="dependencies",
    icon="diagram-project",
    search=("project__name", "on_project__name", "on_host__hostname", "notes"),
    tabs=TABS,
    bulk_fields=("kind", "notes"),
    list_queryset=lambda rows: rows.select_related("project", "on_project", "on_host"),
)


def installed(request: HttpRequest, package: Package) -> dict[str, Any]:
    """Give the panel of a package: the hosts that have it, as agents report and people enter, and where it is wanted."""
    entered = Installation.objects.visible_to(request.user).filter(
        software__name__iexact=package.name, host__in=_visible_hosts(request.user)
    )
    rows = [
        {"host": one.host, "version": one.software.version, "source": _("entered")}
        for one in entered.select_related("host", "software")[:MOST_ON_A_PANEL]
    ]
    for ask in extensions.installed_on:
        rows += [
            {"host": host, "version": version, "source": _("its agent")}
            for host, version in ask(request.user, package)[:MOST_ON_A_PANEL]
        ]
    rows.sort(key=lambda row: (str(row["host"]), row["version"]))
    return {"rows": rows, "projects": seen(request.user, package.projects.all())}


def _visible_hosts(user: Any) -> models.QuerySet:
    return Host.objects.visible_to(user).order_by().values("pk")


PACKAGE = Resource(
    model=Package,
    table=tables.PackageTable,
    form=forms.PackageForm,
    path="packages",
    icon="box",
    search=("name", "version", "file_name", "sha256"),
    tabs=TABS,
    panels=(
        Panel(
            "installed",
            _("Where installed"),
            "appconf/_installed.html",
            installed,
            "cmdb.view_host",
        ),
    ),
    actions=(
        Action(
            _("Download"),
            "appconf:package_download",
            "download",
            "appconf.download_package",
            when=lambda package: package.has_file,
        ),
        Action(
            _("Upload file"),
            "appconf:package_upload",
            "upload",
            "appconf.change_package",
        ),
    ),
    detail_fields=(
        "name",
        "version",
        "file_name",
        "size_words",
        "sha256",
        "url",
        "notes",
    ),
    bulk_fields=("notes",),
    api_fields=("name", "version", "url", "sha256", "file_name", "size", "notes"),
    counts={"project": "projects"},
    delete=services.delete_package,
    # What is brought back has lost its file.
    verbs=VERBS - {"revert"},
)
ALL = (PROJECT, ENVIRONMENT, DEPENDENCY, PACKAGE)

"""What the page of an application shows: where it runs and what is live there, its attributes, what it needs, who answers."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from adminset.crud import fields
from adminset.querysets import seen
from appconf import extensions, vouching
from appconf.models import (
    ConfigFile,
    Dependency,
    Environment,
    Project,
    PullToken,
    Variable,
)
from cmdb import membership
from cmdb.models import Contact, Host

# Title of a group of attributes -> fields, in the order of the seeds.
GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    ("package", ("packages", "language", "server_type", "architecture", "app_type")),
    ("configuration", ("config_path", "config_notes")),
    ("monitoring", ("health_url", "log_path", "monitoring_notes")),
    ("business", ("product_line", "criticality", "sla", "business_notes")),
    ("architecture", ("ports", "architecture_notes")),
    ("permission", ("run_user", "run_group", "permission_notes")),
    (
        "operation",
        (
            "deploy_path",
            "start_command",
            "stop_command",
            "restart_command",
            "operation_notes",
        ),
    ),
)
SOURCE = ("source_type", "source_address", "source_credential")


def titles() -> dict[str, str]:
    """Name the groups of attributes."""
    return {
        "package": _("Package"),
        "configuration": _("Configuration"),
        "monitoring": _("Monitoring"),
        "business": _("Business"),
        "architecture": _("Architecture"),
        "permission": _("Permissions"),
        "operation": _("Operation"),
    }


@dataclass(frozen=True)
class HostRow:
    """A host of an environment, and what is live on it."""

    host: Host
    live: extensions.Live | None
    vouched: bool


@dataclass(frozen=True)
class Place:
    """An environment as the page draws it: the hosts that its reader sees, and how many there are of them.

    Attributes:
        releases: (what is live, on how many of all its hosts that the reader sees), most first.
    """

    environment: Environment
    hosts: list[HostRow]
    total: int
    releases: list[tuple[extensions.Live, int]] = field(default_factory=list)

    @property
    def left_out(self) -> int:
        """Hosts that are not drawn."""
        return self.total - len(self.hosts)


def places_of(user: Any, environments: Iterable[Environment]) -> list[Place]:
    """Give the environments with their hosts, as far as the reader sees them, and what is live there."""
    listed = list(environments)
    live = extensions.live(user, listed)
    return [_place(user, one, live) for one in listed]


def _place(
    user: Any,
    environment: Environment,
    live: dict[tuple[int, int], extensions.Live],
) -> Place:
    rows: Any = hosts_seen(user, environment)
    ids = set(rows.order_by().values_list("pk", flat=True))
    drawn = list(
        rows.for_list().order_by("hostname", "pk")[: settings.APPLICATION_HOSTS]
    )
    keys = [host.pk for host in drawn]
    vouched = vouching.hosts_of(environment).filter(pk__in=keys)
    known = set(vouched.values_list("pk", flat=True))
    hosts = [
        HostRow(host, live.get((environment.pk, host.pk)), host.pk in known)
        for host in drawn
    ]
    # What is live on a host that left is nobody's release any more.
    here = (
        one for (pk, host), one in live.items() if pk == environment.pk and host in ids
    )
    return Place(environment, hosts, len(ids), _counted(here))


def hosts_seen(user: Any, environment: Environment) -> QuerySet[Host]:
    """Give the hosts of an environment that a reader may see."""
    mine = Host.objects.visible_to(user).order_by().values("pk")
    return environment.all_hosts().filter(pk__in=mine)


def _counted(rows: Iterable[extensions.Live]) -> list[tuple[extensions.Live, int]]:
    found: dict[str, tuple[extensions.Live, int]] = {}
    for row in rows:
        first, count = found.get(row.release, (row, 0))
        found[row.release] = (first, count + 1)
    return sorted(found.values(), key=lambda pair: -pair[1])


def page_of(resource: Any, project: Project, user: Any) -> dict[str, Any]:
    """Give all that the page of an application draws for a reader."""
    environments = Environment.objects.visible_to(user).filter(project=project)
    named = titles()
    return {
        "places": places_of(user, environments.for_list().in_order()),
        "groups": [
            {"title": named[key], "rows": _attributes(resource, project, names, user)}
            for key, names in GROUPS
        ],
        "source": _attributes(resource, project, SOURCE, user),
        "needs": _needs(user, project),
        "needed_by": _needed_by(user, on_project=project),
        "contact": contact_of(user, project.owner),
        **_configuration(user, project),
    }


def _attributes(
    resource: Any, project: Project, names: tuple[str, ...], user: Any
) -> list[dict[str, Any]]:
    some = replace(resource, detail_fields=names)
    return fields.describe(some, project, user)


def _needs(user: Any, project: Project) -> list[dict[str, Any]]:
    """Give what an application needs; what the reader may not see is said without its name."""
    rows = Dependency.objects.visible_to(user).filter(project=project)
    found = rows.select_related("on_project", "on_host").order_by("kind", "pk")
    return [
        {
            "row": row,
            "words": row.get_kind_display(),
            "target": _one_seen(user, row.on_project or row.on_host),
        }
        for row in found
    ]


def _needed_by(user: Any, **needed: Any) -> list[dict[str, Any]]:
    """Give the applications that need a project or a host, those that the reader may see."""
    rows = Dependency.objects.visible_to(user).filter(**needed)
    found = list(rows.select_related("project").order_by("kind", "project__name"))
    shown = {project.pk for project in seen(user, [row.project for row in found])}
    return [
        {"row": row, "words": row.get_kind_display(), "target": row.project}
        for row in found
        if row.project_id in shown
    ]


def _one_seen(user: Any, row: Any) -> Any:
    return next(iter(seen(user, [row])), None)


def contact_of(user: Any, name: str) -> Contact | None:
    """Find how to reach an owner: the contact of that name, if the reader may see contacts."""
    if not name:
        return None
    return Contact.objects.visible_to(user).filter(name=name).first()


def _configuration(user: Any, project: Project) -> dict[str, Any]:
    """Give its configuration files, and how many variables and tokens it has: those that the reader may see."""
    files = ConfigFile.objects.visible_to(user).filter(project=project)
    variables = Variable.objects.visible_to(user)
    own = variables.filter(project=project).order_by()
    inner = variables.filter(environment__project=project).order_by()
    return {
        "files": files.select_related("environment", "pinned", "project"),
        "variable_count": own.count() + inner.count(),
        "token_count": PullToken.objects.visible_to(user)
        .filter(project=project, is_active=True)
        .count(),
    }


def environments_of_host(request: HttpRequest, host: Host) -> dict[str, Any]:
    """Give the panel of a host: the environments that it belongs to, what is live there, and the applications that need it."""
    rows = Environment.objects.visible_to(request.user)
    groups = [group.pk for group in membership.groups_of(host)]
    own = rows.filter(hosts=host).values("pk")
    grouped = rows.filter(groups__in=groups).values("pk")
    found = list(
        (rows.filter(pk__in=own) | rows.filter(pk__in=grouped)).for_list().in_order()
    )
    live = extensions.live(request.user, found)
    return {
        "environments": [
            {"environment": one, "live": live.get((one.pk, host.pk))} for one in found
        ],
        "needed_by": _needed_by(request.user, on_host=host),
    }

"""On what a grant can hold here: product lines and single projects; host groups and hosts show what runs on them."""

from collections.abc import Callable
from dataclasses import replace

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from adminset.scopes import Reach, ScopeKind
from appconf.environment_models import EnvironmentGroup, EnvironmentHost
from cmdb import membership
from cmdb.scopes import GROUPS, HOSTS, PRODUCT_LINES

Keys = frozenset[int]
# What belongs to a project, with the path to it.
OF_A_PROJECT = {
    "appconf.environment": "project",
    "appconf.dependency": "project",
    "appconf.configfile": "project",
    "appconf.configversion": "file__project",
    "appconf.pulltoken": "project",
}


def _variables_of_lines(ids: Keys, action: str) -> Q:
    # Those of a group or a host for all projects reach beyond any product line.
    found = Q(product_line__in=ids) | Q(project__product_line__in=ids)
    return found | Q(environment__project__product_line__in=ids)


def _variables_of_projects(ids: Keys, action: str) -> Q:
    return Q(project__in=ids) | Q(environment__project__in=ids)


def _with_hosts(hosts: Callable[[Keys], Q], groups: Callable[[Keys], Q]) -> list[Reach]:
    """Open environments that hosts belong to, and their projects, for looking only: a release reaches their other hosts too."""

    def environments(ids: Keys) -> Q:
        own = EnvironmentHost.objects.filter(hosts(ids)).values("environment")
        grouped = EnvironmentGroup.objects.filter(groups(ids)).values("environment")
        return Q(pk__in=own) | Q(pk__in=grouped)

    def of_environment(ids: Keys, action: str) -> Q | None:
        return environments(ids) if action == "view" else None

    def of_project(ids: Keys, action: str) -> Q | None:
        if action != "view":
            return None
        own = EnvironmentHost.objects.filter(hosts(ids))
        grouped = EnvironmentGroup.objects.filter(groups(ids))
        return Q(pk__in=own.values("environment__project")) | Q(
            pk__in=grouped.values("environment__project")
        )

    return [of_environment, of_project]


def _group_members(ids: Keys) -> Q:
    return membership.on_hosts("host", ids)


def _groups(ids: Keys) -> Q:
    return Q(hostgroup__in=ids)


def _hosts(ids: Keys) -> Q:
    return Q(host__in=ids)


def _no_group(ids: Keys) -> Q:
    return Q(pk__in=())


_OF_GROUPS = _with_hosts(_group_members, _groups)
_OF_HOSTS = _with_hosts(_hosts, _no_group)
PROJECTS = ScopeKind(
    "appconf.project",
    _("Projects"),
    path="projects",
    reaches={
        "appconf.project": "pk",
        "appconf.variable": _variables_of_projects,
        **OF_A_PROJECT,
    },
)
# The kinds of the CMDB, with what they open here.
WIDER = (
    replace(
        PRODUCT_LINES,
        reaches={
            **PRODUCT_LINES.reaches,
            "appconf.project": "product_line",
            "appconf.variable": _variables_of_lines,
            **{name: f"{path}__product_line" for name, path in OF_A_PROJECT.items()},
        },
    ),
    replace(
        GROUPS,
        reaches={
            **GROUPS.reaches,
            "appconf.environment": _OF_GROUPS[0],
            "appconf.project": _OF_GROUPS[1],
        },
    ),
    replace(
        HOSTS,
        reaches={
            **HOSTS.reaches,
            "appconf.environment": _OF_HOSTS[0],
            "appconf.project": _OF_HOSTS[1],
        },
    ),
)

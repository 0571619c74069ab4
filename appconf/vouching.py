"""Which hosts of an environment are delivered to: those that somebody put there who may run work on them."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from accounts.limits import is_limited
from adminset.errors import Forbidden
from adminset.querysets import may, scope_of
from appconf.environment_models import EnvironmentGroup, EnvironmentHost
from appconf.models import Environment, Project
from cmdb import group_rules, membership
from cmdb.models import Host, HostGroup

DEPLOY = "appconf.deploy_environment"
NAMED = 5


def hosts_of(environment: Environment) -> QuerySet[Host]:
    """Give the hosts that are delivered to, each once.

    A host that was put there by itself stays. Of a group, those hosts count on which the one who put the group there may
    run work now: whoever can fill a group reaches no host through somebody else's environment. Nor does a machine come in
    by what it says of itself: releases and secrets would follow.
    """
    return Host.objects.filter(_vouched(environment))


def _vouched(environment: Environment) -> Q:
    own = EnvironmentHost.objects.filter(environment=environment.pk)
    found = Q(pk__in=own.values("host_id"))
    held = EnvironmentGroup.objects.filter(environment=environment.pk)
    for row in held.select_related("added_by"):
        if row.added_by is None:
            continue
        may_run = Host.objects.visible_to(row.added_by, "run").order_by()
        members = membership.of_groups([row.hostgroup_id], trusted=True)
        found |= members & Q(pk__in=may_run.values("pk"))
    return found


def unvouched_of(environment: Environment) -> QuerySet[Host]:
    """Give the hosts that belong to an environment through a group and are not delivered to."""
    return environment.all_hosts().exclude(_vouched(environment))


def ensure_may_deploy(actor: Any, environment: Environment) -> None:
    """Let pass who may deploy to an environment; its hosts need no further permission of his.

    Raises:
        Forbidden: he may not; says which permission it takes.
    """
    if may(actor, "deploy", environment):
        return
    raise Forbidden(
        _("You may not deploy to %(environment)s.") % {"environment": environment},
        _("It takes the permission to deploy to this environment."),
        code="may_not_deploy",
    )


def ensure_may_deploy_all(actor: Any, project: Project) -> None:
    """Let pass who may deploy to whatever environment a project has or gets, as it is stored now.

    Raises:
        Forbidden: he may not.
    """
    scope = scope_of(actor, DEPLOY)
    rows = Project.objects.filter(pk=project.pk)
    if scope.everything or (scope and rows.within(scope, "deploy").exists()):
        return
    raise Forbidden(
        _("You may not bring %(project)s to another product line.")
        % {"project": project},
        _("It takes the permission to deploy to its environments, in both lines."),
        code="may_not_move",
    )


def vouch(
    user: Any, environment: Environment, hosts: Iterable[int], groups: Iterable[int]
) -> None:
    """Write down that a person answers for hosts and groups that just came into an environment.

    Groups whose former person may no longer run work on all of their hosts are taken over, where the new one may.

    Args:
        hosts, groups: keys of those that came.

    Raises:
        Forbidden: there is one on which the person may not run work; says which.
    """
    came, new_groups = set(hosts), set(groups)
    _ensure_hosts(user, came)
    for group in HostGroup.objects.filter(pk__in=new_groups):
        ensure_group(user, group)
    of_hosts = EnvironmentHost.objects.filter(environment=environment)
    of_hosts.filter(host__in=came).update(added_by=user)
    of_groups = EnvironmentGroup.objects.filter(environment=environment)
    of_groups.filter(hostgroup__in=new_groups).update(added_by=user)
    _take_over(user, of_groups.exclude(hostgroup__in=new_groups))


def _take_over(user: Any, rows: QuerySet[EnvironmentGroup]) -> None:
    for row in rows.select_related("added_by", "hostgroup"):
        former = row.added_by
        holds = former is not None and not _beyond(former, row.hostgroup).exists()
        if not holds and _may_answer(user, row.hostgroup):
            EnvironmentGroup.objects.filter(pk=row.pk).update(added_by=user)


def _may_answer(user: Any, group: HostGroup) -> bool:
    return not is_limited(user) and not _beyond(user, group).exists()


def _beyond(user: Any, group: HostGroup) -> QuerySet[Host]:
    """Give the hosts of a group on which a person may not run work."""
    members = membership.in_groups(Host.objects.all(), [group.pk])
    mine = Host.objects.visible_to(user, "run").order_by().values("pk")
    return members.exclude(pk__in=mine)


def _ensure_hosts(user: Any, keys: set[int]) -> None:
    mine = Host.objects.visible_to(user, "run").filter(pk__in=keys)
    beyond = keys - set(mine.values_list("pk", flat=True))
    if beyond:
        raise _refusal(user, Host.objects.filter(pk__in=beyond))


def ensure_group(user: Any, group: HostGroup) -> None:
    """Let pass a group on all of whose hosts a person may run work.

    Raises:
        Forbidden: there is one on which he may not, a token speaks that may do less than he, or machines enter the group
            by what they say of themselves.
    """
    if group.is_dynamic and group_rules.is_said_by_agents(group.rule):
        raise Forbidden(
            _("Machines enter %(group)s by what they say of themselves.")
            % {"group": group},
            _("Releases and secrets would follow: choose a group that people fill."),
            code="said_by_agents",
        )
    if is_limited(user):
        raise Forbidden(
            _("A token with limits puts no group into an environment."),
            _("Hosts that come later would lie outside its limits: sign in instead."),
            code="limited_token",
        )
    beyond = _beyond(user, group)
    if beyond.exists():
        raise _refusal(user, beyond)


def _refusal(user: Any, hosts: QuerySet[Host]) -> Forbidden:
    seen = hosts.filter(pk__in=Host.objects.visible_to(user).order_by().values("pk"))
    names = [str(host) for host in seen.order_by("hostname")[:NAMED]]
    if hosts.count() > len(names):
        names.append(_("others"))
    return Forbidden(
        _("You may not run work on %(hosts)s.") % {"hosts": ", ".join(names)},
        _("Releases run there: it takes the permission to run work on these hosts."),
        code="may_not_run",
    )

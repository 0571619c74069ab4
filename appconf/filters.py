"""The filters of the room's lists; choices are only what the user may see."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from adminset.crud.choices import RemoteSelectMultiple
from appconf.models import Environment, Project
from appconf.project_choices import EnvironmentKind
from cmdb import membership
from cmdb.models import Host, HostGroup, ProductLine


def _seen(model: type[Any]) -> Any:
    def rows(request: Any) -> QuerySet:
        manager: Any = model._default_manager
        found: QuerySet = (
            manager.visible_to(request.user) if request else manager.none()
        )
        return found

    return rows


class EnvironmentFilter(django_filters.FilterSet):
    """Environments by project, kind, and the hosts that belong to them."""

    project = django_filters.ModelMultipleChoiceFilter(
        label=_("Project"),
        queryset=_seen(Project),
        widget=RemoteSelectMultiple("projects"),
    )
    kind = django_filters.MultipleChoiceFilter(
        label=_("Kind"), choices=EnvironmentKind.choices
    )
    hosts = django_filters.ModelMultipleChoiceFilter(
        label=_("Hosts"),
        queryset=_seen(Host),
        widget=RemoteSelectMultiple("hosts"),
        method="by_hosts",
    )
    groups = django_filters.ModelMultipleChoiceFilter(
        label=_("Host groups"), queryset=_seen(HostGroup)
    )
    product_line = django_filters.ModelMultipleChoiceFilter(
        label=_("Product line"),
        queryset=_seen(ProductLine),
        field_name="project__product_line",
    )

    class Meta:
        model = Environment
        fields = ("project", "kind", "hosts", "groups", "product_line")

    def by_hosts(self, rows: Any, _name: str, hosts: Any) -> QuerySet:
        """Narrow to environments of these hosts: by themselves, or through a group."""
        if not hosts:
            found: QuerySet = rows
            return found
        keys = [host.pk for host in hosts]
        groups = {group.pk for host in hosts for group in membership.groups_of(host)}
        own = Environment.hosts.through.objects.filter(host__in=keys)
        grouped = Environment.groups.through.objects.filter(hostgroup__in=groups)
        mine = rows.filter(pk__in=own.values("environment"))
        return mine | rows.filter(pk__in=grouped.values("environment"))

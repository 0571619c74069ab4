"""On what a grant can hold in the CMDB: host groups, single hosts, credentials; and which rows each of them opens."""

from collections.abc import Callable

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from adminset.scopes import ScopeKind
from cmdb import membership
from cmdb.models import HOST_GROUP_SCOPE, Credential, Host, IdentityConflict


def _hosts_of_groups(ids: frozenset[int], action: str) -> Q:
    return membership.of_groups(ids)


def _on_hosts_of_groups(ids: frozenset[int], action: str) -> Q:
    return membership.on_hosts("host", ids)


def _records_of_groups(ids: frozenset[int], action: str) -> Q:
    return membership.on_hosts("address__host", ids)


def _conflicts_of_groups(ids: frozenset[int], action: str) -> Q:
    through = IdentityConflict.hosts.through.objects
    involved = through.filter(membership.on_hosts("host", ids))
    return Q(pk__in=involved.values("identityconflict_id"))


def _conflicts_of(path: str) -> Callable[[frozenset[int], str], Q]:
    """Open the conflicts that involve one of the hosts."""

    def reach(ids: frozenset[int], action: str) -> Q:
        involved = IdentityConflict.hosts.through.objects.filter(
            **{f"host__{path}__in": ids}
        )
        return Q(pk__in=involved.values("identityconflict_id"))

    return reach


def _agents_of_groups(ids: frozenset[int], action: str) -> Q:
    # One that waits has no host yet, but the group that its token will put it into.
    waiting = Q(host=None, enrolment_token__group_id__in=ids)
    return membership.on_hosts("host", ids) | waiting


def _credentials_of_groups(ids: frozenset[int], action: str) -> Q | None:
    """Open what members sign in with; not of those that came in by what a machine says of itself, or a machine could open it."""
    if action not in {"view", "use"}:
        return None
    members = Host.objects.filter(membership.of_groups(ids, trusted=True))
    used = members.filter(credential__isnull=False).order_by()
    return Q(pk__in=used.values("credential_id"))


def _credentials_of(path: str, ids: frozenset[int], action: str) -> Q | None:
    """Open what the scope's hosts sign in with already, for looking and use.

    A change would reach hosts of others too, and any further credential could be sent to a host of one's own.
    """
    if action not in {"view", "use"}:
        return None
    used = Host.objects.filter(**{path: ids}, credential__isnull=False)
    return Q(pk__in=used.order_by().values("credential_id"))


GROUPS = ScopeKind(
    HOST_GROUP_SCOPE,
    _("Host groups"),
    reaches={
        "cmdb.hostgroup": "pk",
        "cmdb.host": _hosts_of_groups,
        "cmdb.agent": _agents_of_groups,
        "cmdb.identityconflict": _conflicts_of_groups,
        "cmdb.enrolmenttoken": "group",
        "cmdb.installation": _on_hosts_of_groups,
        "cmdb.nic": _on_hosts_of_groups,
        "cmdb.disk": _on_hosts_of_groups,
        "cmdb.ipaddress": _on_hosts_of_groups,
        "cmdb.dnsrecord": _records_of_groups,
        "cmdb.credential": _credentials_of_groups,
    },
)
HOSTS = ScopeKind(
    "cmdb.host",
    _("Hosts"),
    path="hosts",
    reaches={
        "cmdb.host": "pk",
        "cmdb.agent": "host",
        "cmdb.identityconflict": _conflicts_of("pk"),
        "cmdb.installation": "host",
        "cmdb.nic": "host",
        "cmdb.disk": "host",
        "cmdb.ipaddress": "host",
        "cmdb.dnsrecord": "address__host",
        "cmdb.credential": lambda ids, action: _credentials_of("pk__in", ids, action),
    },
)
CREDENTIALS = ScopeKind(
    Credential._meta.label_lower,
    _("Credentials"),
    reaches={"cmdb.credential": "pk"},
)
PRODUCT_LINES = ScopeKind(
    "cmdb.productline",
    _("Product lines"),
    reaches={
        "cmdb.productline": "pk",
        "cmdb.host": "product_line",
        "cmdb.agent": "host__product_line",
        "cmdb.identityconflict": _conflicts_of("product_line"),
        "cmdb.installation": "host__product_line",
        "cmdb.nic": "host__product_line",
        "cmdb.disk": "host__product_line",
        "cmdb.ipaddress": "host__product_line",
        "cmdb.dnsrecord": "address__host__product_line",
        "cmdb.budget": "product_line",
        "cmdb.cost": "product_line",
        "cmdb.credential": lambda ids, action: _credentials_of(
            "product_line__in", ids, action
        ),
    },
)

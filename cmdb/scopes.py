"""On what a grant can hold in the CMDB: host groups, single hosts, credentials; and which rows each of them opens."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from adminset.scopes import ScopeKind
from cmdb.models import HOST_GROUP_SCOPE, Credential, Host


def _hosts_of_groups(ids: frozenset[int], action: str) -> Q:
    members = Host.groups.through.objects.filter(hostgroup_id__in=ids)
    return Q(pk__in=members.values("host_id"))


def _agents_of_groups(ids: frozenset[int], action: str) -> Q:
    members = Host.groups.through.objects.filter(hostgroup_id__in=ids)
    # One that waits has no host yet, but the group that its token will put it into.
    waiting = Q(host=None, enrolment_token__group_id__in=ids)
    return Q(host__in=members.values("host_id")) | waiting


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
        "cmdb.enrolmenttoken": "group",
        "cmdb.credential": lambda ids, action: _credentials_of(
            "groups__in", ids, action
        ),
    },
)
HOSTS = ScopeKind(
    "cmdb.host",
    _("Hosts"),
    path="hosts",
    reaches={
        "cmdb.host": "pk",
        "cmdb.agent": "host",
        "cmdb.credential": lambda ids, action: _credentials_of("pk__in", ids, action),
    },
)
CREDENTIALS = ScopeKind(
    Credential._meta.label_lower,
    _("Credentials"),
    reaches={"cmdb.credential": "pk"},
)

"""How objects hang together without anybody saying so: the foreign keys that mean that one stands or falls with the other."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model, Q
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Edge:
    """A foreign key between two kinds of objects.

    Attributes:
        source: label of the model that has it ("cmdb.host"). field: its name.
        name, reverse_name: words from the source to the target and back.
        target_falls: whether the target falls with the source; else the source falls with the target.
        only: which rows it counts for.
    """

    source: str
    field: str
    name: Any
    reverse_name: Any
    target_falls: bool = False
    only: tuple[tuple[str, Any], ...] = ()

    @property
    def model(self) -> type[Model]:
        """The model that has the key."""
        return apps.get_model(self.source)

    @property
    def target(self) -> str:
        """Label of the model that the key points to."""
        related: Any = self.model._meta.get_field(self.field).related_model
        return str(related._meta.label_lower)

    @property
    def condition(self) -> Q:
        """Which rows have it."""
        return Q(**dict(self.only), **{f"{self.field}__isnull": False})


STANDS, HOLDS = _("stands in"), _("holds")
DECLARED = (
    Edge("cmdb.cabinet", "idc", STANDS, HOLDS),
    Edge("cmdb.host", "cabinet", STANDS, HOLDS),
    # A host in a cabinet hangs on its IDC through the cabinet.
    Edge("cmdb.host", "idc", STANDS, HOLDS, only=(("cabinet", None),)),
    Edge("cmdb.host", "hypervisor", _("runs on"), _("carries")),
    # Its hosts hold a cluster up; what runs on it, runs on one of them.
    Edge("cmdb.host", "cluster", _("is member of"), _("has the member"), True),
    Edge("cmdb.cluster", "idc", STANDS, HOLDS),
    Edge("cmdb.host", "product_line", _("works for"), _("is carried by"), True),
    Edge("cmdb.bandwidthline", "idc", _("ends in"), _("is reached by")),
    Edge("cmdb.ipaddress", "host", _("is an address of"), _("has the address")),
    Edge("cmdb.dnsrecord", "address", _("points to"), _("is named by")),
    Edge("cmdb.dnsrecord", "zone", _("stands in the zone"), _("has the record")),
    Edge("cmdb.dnszone", "domain", _("belongs to the domain"), _("has the zone")),
    Edge(
        "cmdb.cdndomain", "domain", _("belongs to the domain"), _("has the CDN domain")
    ),
    Edge("cmdb.cdndomain", "certificate", _("uses"), _("is used by")),
)


@cache
def all_edges() -> tuple[Edge, ...]:
    """List the declared edges whose fields there are."""
    return tuple(edge for edge in DECLARED if _exists(edge))


def _exists(edge: Edge) -> bool:
    try:
        edge.model._meta.get_field(edge.field)
    except (LookupError, FieldDoesNotExist):
        return False
    return True

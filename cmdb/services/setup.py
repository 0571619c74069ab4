"""What a fresh portal needs of this room: the statuses that an asset usually has."""

from django.db import transaction

from adminset import audit
from adminset.audit import Actor
from adminset.crud import search_terms
from adminset.search_models import SearchTerm
from cmdb.models import AssetStatus, CabinetSlot, Host
from cmdb.services.racks import refill

# name, colour, whether an agent is expected
STATUSES = (
    ("in use", "ok", True),
    ("spare", "idle", False),
    ("maintenance", "busy", True),
    ("broken", "danger", False),
    ("retired", "idle", False),
)


@transaction.atomic
def ensure_statuses(*, actor: Actor) -> int:
    """Make the usual statuses in a portal that has none; gives how many were made."""
    if AssetStatus.objects.exists():
        return 0
    for name, state, monitored in STATUSES:
        status = AssetStatus.objects.create(name=name, state=state, monitored=monitored)
        audit.record(actor, "assetstatus.create", status)
    return len(STATUSES)


def catch_up() -> None:
    """Fill what is worked out from hosts, where an upgrade brought it anew: the search, the filled units of cabinets."""
    if not Host.objects.exists():
        return
    if not SearchTerm.objects.exists():
        search_terms.rebuild_all()
    placed = Host.objects.filter(cabinet__isnull=False, cabinet_unit__isnull=False)
    if placed.exists() and not CabinetSlot.objects.exists():
        refill()

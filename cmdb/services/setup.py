"""What a fresh portal needs of this room: the statuses that an asset usually has."""

from django.db import transaction

from adminset import audit
from adminset.audit import Actor
from cmdb.models import AssetStatus

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

"""The one host of a plan on which the commands run that are for one host only."""

from collections.abc import Sequence

from cmdb.models import Host
from delivery.models import Deploy
from delivery.stages import is_for_one
from delivery.way_models import Way

# In the binding of a plan, and in what a deploy keeps of it: the id of that host.
KEY = "one_host"


def one_host(way: Way, placed: Sequence[tuple[Host, int]], kind: str) -> Host | None:
    """Give the first host of the first batch; None where no stage is for one host only.

    Args:
        placed: the hosts of the plan with their batches, in the order of the plan.
        kind: of the deploy; one that goes back runs no stage.
    """
    if kind == Deploy.Kind.ROLLBACK or not any(map(is_for_one, way.stages)):
        return None
    first = min(placed, key=lambda one: one[1], default=None)
    return first[0] if first else None

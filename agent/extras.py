"""What goes along with the newest samples: tables, and what is missing in them."""

from typing import Any, Dict, Iterable, List

from agent.gathering import Gathering
from agent.sampler import Sampler


class Extras:
    """Held in memory only: a newer state takes the place of an older one."""

    def __init__(self, sampler: Sampler, gathering: Gathering) -> None:
        self.sampler, self.gathering = sampler, gathering

    def tables(self) -> List[Dict[str, Any]]:
        """Those that the portal does not have."""
        return self.gathering.undelivered()

    def done(self, tables: Iterable[Dict[str, Any]]) -> None:
        """They are at the portal, or will never be."""
        self.gathering.deliver(tables)

    def left_out(self) -> Dict[str, int]:
        """How much of what the host has was dropped for the sake of size."""
        counts = dict(self.sampler.left_out, **self.gathering.left_out())
        return {name: count for name, count in counts.items() if count}

"""Where rooms above hang their own tabs and buttons on a host's page, hear of merges, join the set-up and the impact picture: in apps.ready(), before any url is loaded."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from adminset.audit import Actor
from adminset.crud.resource import Action, BulkAction, ListLink, Panel

# (from, to, words, whether the reader may know of this way); objects by label and key.
FallingStep = tuple[tuple[str, int], tuple[str, int], str, bool]


@dataclass(frozen=True)
class Falls:
    """What of a room above falls with assets: the impact picture goes on there.

    Attributes:
        kind: label of its objects, which have a resource ("appconf.project").
        steps: (user, keys by label, how many ways at most) -> ways from these objects to what falls with them.
    """

    kind: str
    steps: Callable[[Any, Mapping[str, set[int]], int], list[FallingStep]]


falls: list[Falls] = []
host_panels: list[Panel] = []
host_actions: list[Action] = []
# Those of them that each row of the list has, too.
host_row_actions: list[Action] = []
# What can be done with chosen hosts of the list, and with all that its filter finds.
host_bulk_actions: list[BulkAction] = []
host_list_links: list[ListLink] = []
group_actions: list[Action] = []
# (number of the host that goes, number of the one that it turned out to be), in the transaction of the merge.
host_merged: list[Callable[[int, int], None]] = []
# What rooms fill in at every start of the portal (manage.py prepare_portal), as the set-up.
portal_prepared: list[Callable[[Actor], object]] = []

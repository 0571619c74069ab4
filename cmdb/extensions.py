"""Where rooms above hang their own tabs and buttons on a host's page, hear of merges, and join the set-up: in apps.ready(), before any url is loaded."""

from collections.abc import Callable

from adminset.audit import Actor
from adminset.crud.resource import Action, BulkAction, ListLink, Panel

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

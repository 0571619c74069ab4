"""Where rooms above hang their own tabs and buttons on a host's page, and hear of merges: in apps.ready(), before any url is loaded."""

from collections.abc import Callable

from adminset.crud.resource import Action, Panel

host_panels: list[Panel] = []
host_actions: list[Action] = []
# (number of the host that goes, number of the one that it turned out to be), in the transaction of the merge.
host_merged: list[Callable[[int, int], None]] = []

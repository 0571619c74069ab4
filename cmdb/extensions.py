"""Where rooms above hang their own tabs and buttons on a host's page: in apps.ready(), before any url is loaded."""

from adminset.crud.resource import Action, Panel

host_panels: list[Panel] = []
host_actions: list[Action] = []

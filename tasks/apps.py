"""Runs work on hosts: the app's label, and what it hangs on a host's page."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TasksConfig(AppConfig):
    """The room."""

    name = "tasks"
    verbose_name = _("Task centre")

    def ready(self) -> None:
        """Give hosts a tab with their runs, and buttons to run something and to accept a key."""
        from adminset.crud.resource import Action, Panel
        from cmdb import extensions
        from tasks.selectors import latest_on_host

        def runs(request, host):  # type: ignore[no-untyped-def]
            return {"rows": latest_on_host(request.user, host)}

        extensions.host_panels.append(
            Panel("runs", _("Runs"), "tasks/_host_runs.html", runs, "tasks.view_run")
        )
        extensions.host_actions.append(
            Action(_("Run a command"), "tasks:host_run", "play", "tasks.add_run")
        )
        extensions.host_actions.append(
            Action(_("Host key"), "tasks:host_key", "fingerprint", "cmdb.change_host")
        )

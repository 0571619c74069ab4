"""Runs work on hosts: the app's label, and what it hangs on a host's page."""

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class TasksConfig(AppConfig):
    """The room."""

    name = "tasks"
    verbose_name = _("Task centre")

    def ready(self) -> None:
        """Join the parts of the room that do not know each other, and hang what it has on a host's page."""
        from tasks.approvals import runs
        from tasks.services.settle import after_end
        from tasks.watching import mending
        from tasks.workflows import approving, calls

        runs.join_doors()
        approving.join_doors()
        # Before a workflow reads values out of it.
        after_end.append(mending.mend_outputs)
        after_end.append(calls.run_ended)
        self._extend_hosts()
        self._show_terminals()
        self._extend_lists()

    def _extend_lists(self) -> None:
        """Give the list of hosts a way to run something on chosen ones or on all that it shows; groups have a button."""
        from urllib.parse import urlencode

        from django.urls import reverse

        from adminset.crud.resource import Action, BulkAction, ListLink
        from cmdb import extensions

        run = "tasks.add_run"
        terminal = "cmdb.terminal_host"
        extensions.host_bulk_actions += [
            BulkAction(_("Run ..."), "tasks:host_bulk_run", "play", run),
            BulkAction(
                _("Terminals"), "tasks:host_bulk_terminal", "terminal", terminal
            ),
        ]
        extensions.host_list_links.append(
            ListLink(
                _("Run on these"),
                "play",
                run,
                lambda query: (
                    f"{reverse('tasks:run_add')}?{urlencode({'host_filter': query})}"
                ),
            )
        )
        extensions.group_actions += [
            Action(_("Run ..."), "tasks:hostgroup_run", "play", run),
            Action(_("Terminals"), "tasks:hostgroup_terminal", "terminal", terminal),
        ]

    def _extend_hosts(self) -> None:
        """Give hosts a tab with their runs, and buttons to run something and to accept a key."""
        from adminset.crud.resource import Action, Panel
        from cmdb import extensions
        from tasks.guard import shipped
        from tasks.hostfiles.settings_checks import check_piece
        from tasks.selectors import latest_on_host
        from tasks.taskmodules import keeping

        def runs(request, host):  # type: ignore[no-untyped-def]
            return {"rows": latest_on_host(request.user, host)}

        extensions.portal_prepared += [keeping.prepare, shipped.prepare]
        checks.register(keeping.check_files)
        checks.register(check_piece)
        extensions.host_panels.append(
            Panel("runs", _("Runs"), "tasks/_host_runs.html", runs, "tasks.view_run")
        )
        shell = Action(
            _("Terminal"),
            "tasks:host_terminal",
            "terminal",
            "cmdb.terminal_host",
            new_page=True,
        )
        extensions.host_row_actions.append(shell)
        extensions.host_actions.append(shell)
        extensions.host_actions.append(
            Action(
                _("Files"), "tasks:host_files", "folder-open", "cmdb.browsefiles_host"
            )
        )
        extensions.host_actions.append(
            Action(_("Run ..."), "tasks:host_run", "play", "tasks.add_run")
        )
        extensions.host_actions.append(
            Action(_("Host key"), "tasks:host_key", "fingerprint", "cmdb.change_host")
        )

    def _show_terminals(self) -> None:
        """Give hosts a tab with the terminals on them."""
        from adminset.crud.resource import Panel
        from cmdb import extensions
        from tasks.terminal_pages.sessions_selectors import VIEW, latest_on_host

        def sessions(request, host):  # type: ignore[no-untyped-def]
            return {"sessions": latest_on_host(request.user, host)}

        template = "tasks/terminal_sessions/_host.html"
        extensions.host_panels.append(
            Panel("terminals", _("Terminals"), template, sessions, VIEW)
        )

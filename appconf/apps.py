"""What an application is: the app's label, on what grants hold here, and its tab on a host's page."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AppconfConfig(AppConfig):
    """The room."""

    name = "appconf"
    verbose_name = _("Applications")

    def ready(self) -> None:
        """Let grants be held to projects, let product lines and hosts open theirs, and tell a host's page what runs there."""
        from adminset.crud.resource import Panel
        from adminset.scopes import register
        from appconf import scopes
        from appconf.application import environments_of_host
        from appconf.impact import FALLS
        from cmdb.extensions import falls, host_panels

        for kind in (*scopes.WIDER, scopes.PROJECTS):
            register(kind)
        falls.append(FALLS)
        host_panels.append(
            Panel(
                "applications",
                _("Applications"),
                "appconf/_host_environments.html",
                environments_of_host,
                "appconf.view_environment",
            )
        )

"""What exists, who owns it, how to reach it: the app's label."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CmdbConfig(AppConfig):
    """The room."""

    name = "cmdb"
    verbose_name = _("Assets")

    def ready(self) -> None:
        """Let grants be held to host groups, hosts and credentials."""
        from adminset.scopes import register
        from cmdb import scopes

        for kind in (scopes.GROUPS, scopes.HOSTS, scopes.CREDENTIALS):
            register(kind)

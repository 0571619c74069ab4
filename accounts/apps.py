"""Who may do what: the app's label."""

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _

from accounts import breached, directory_checks


class AccountsConfig(AppConfig):
    """The room."""

    name = "accounts"
    verbose_name = _("Users")

    def ready(self) -> None:
        """Check at the start what this room is told by settings; let grants forget what is deleted."""
        from accounts.services.grants import forget_scope
        from adminset.scopes import on_deletion

        checks.register(breached.check_list)
        checks.register(directory_checks.check_directory)
        on_deletion(forget_scope)

"""Who may do what: the app's label."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """The room."""

    name = "accounts"
    verbose_name = _("Users")

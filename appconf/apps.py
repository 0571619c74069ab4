"""What an application is: the app's label."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AppconfConfig(AppConfig):
    """The room."""

    name = "appconf"
    verbose_name = _("Applications")

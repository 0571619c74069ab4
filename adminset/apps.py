"""The ground: settings, crud, audit, crypto, errors; it never looks up at the rooms."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AdminsetConfig(AppConfig):
    """The room."""

    name = "adminset"
    verbose_name = _("System")

    def ready(self) -> None:
        """Make our Celery the one that tasks are sent by, in every process: pages, commands, worker."""
        import_module("adminset.celery")

"""The ground: settings, crud, audit, crypto, errors; it never looks up at the rooms."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class AdminsetConfig(AppConfig):
    """The room."""

    name = "adminset"
    verbose_name = _("System")

    def ready(self) -> None:
        """Make our Celery the one that tasks are sent by, and keep the search in step, in every process: pages, commands, worker."""
        import_module("adminset.celery")
        terms = import_module("adminset.crud.search_terms")
        post_save.connect(terms.saved, dispatch_uid="adminset.search")

"""Ships projects to hosts: the app's label."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DeliveryConfig(AppConfig):
    """The room."""

    name = "delivery"
    verbose_name = _("Delivery")

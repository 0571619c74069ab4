"""Who may look at what the portal measures of itself."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PortalMetrics(models.Model):
    """No table: carries the permission to read /metrics, so that roles can grant it."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_portalmetrics", "Can view measurements of the portal itself")
        ]
        verbose_name = _("measurements of the portal")
        verbose_name_plural = _("measurements of the portal")

    def __str__(self) -> str:
        return "portal metrics"

"""What the room keeps in SQL: for now only who may look at measurements; the measurements lie in MongoDB."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Metrics(models.Model):
    """No table: carries the permission to look at measurements, so that roles can grant it."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [("view_metrics", "Can view measurements of hosts")]
        verbose_name = _("measurements")
        verbose_name_plural = _("measurements")

    def __str__(self) -> str:
        return "metrics"

"""Measurements that are to move from a host that is gone to the one that it turned out to be."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class MovingMeasurements(models.Model):
    """One such move that is not done yet; `gone` is the number of a host that is no more."""

    gone = models.PositiveBigIntegerField(_("host that is gone"), db_index=True)
    kept = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        on_delete=models.CASCADE,
        related_name="+",
    )

    class Meta:
        default_permissions = ()
        verbose_name = _("move of measurements")
        verbose_name_plural = _("moves of measurements")
        constraints = [
            models.UniqueConstraint(fields=["gone", "kept"], name="moving_once")
        ]

    def __str__(self) -> str:
        return f"#{self.gone}"

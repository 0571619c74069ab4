"""Collection policies: how often the hosts of a group are measured, and how long their measurements stay."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from monitor.records import HOUR_SECONDS

MOST_DAYS = 3650


def least_raw_hours() -> int:
    """Say how long single samples have to stay: a late one is averaged with all others of its hour."""
    return -(-settings.AGENT_MAX_SAMPLE_AGE_SECONDS // HOUR_SECONDS) + 1


def _number(label: Any, help_text: Any, least: int, most: int) -> models.Field:
    limits = [MinValueValidator(least), MaxValueValidator(most)]
    return models.PositiveIntegerField(
        label, null=True, blank=True, validators=limits, help_text=help_text
    )


class CollectionPolicy(Timestamped):
    """What a host group has otherwise than the settings say; an empty field is as the settings."""

    host_group = models.OneToOneField(
        "cmdb.HostGroup",
        verbose_name=_("host group"),
        on_delete=models.CASCADE,
        related_name="collection_policy",
    )
    sample_seconds = _number(
        _("seconds between samples"), _("How often agents take a sample."), 1, 3600
    )
    flush_seconds = _number(
        _("seconds between reports"), _("How often agents send."), 1, 3600
    )
    raw_hours = _number(
        _("hours of single samples"), _("How long each sample is kept."), 1, 24 * 90
    )
    minute_days = _number(
        _("days of 1-minute values"), _("Averages, extremes and counts."), 1, MOST_DAYS
    )
    ten_minute_days = _number(
        _("days of 10-minute values"), _("Averages, extremes and counts."), 2, MOST_DAYS
    )
    two_hour_days = _number(
        _("days of 2-hour values"), _("Averages, extremes and counts."), 30, MOST_DAYS
    )
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("collection policy")
        verbose_name_plural = _("collection policies")
        ordering = ["host_group__name", "pk"]

    def __str__(self) -> str:
        return str(self.host_group)

    def get_absolute_url(self) -> str:
        """Give the address of the row's page."""
        return reverse("monitor:collectionpolicy_detail", args=[self.pk])

    def clean(self) -> None:
        """Refuse a report that is sent more often than there is anything to say, and samples that go before late ones come."""
        least = least_raw_hours()
        if self.raw_hours is not None and self.raw_hours < least:
            sentence = _(
                "Single samples stay for at least %(hours)s hours: agents may send samples that late."
            )
            raise ValidationError({"raw_hours": sentence % {"hours": least}})
        sample, flush = self.sample_seconds, self.flush_seconds
        if sample is not None and flush is not None and flush < sample:
            raise ValidationError(
                {"flush_seconds": _("Reports cannot come more often than samples.")}
            )

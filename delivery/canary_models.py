"""The canary of a way as data: which hosts go first, how long they are watched, and the measured value that holds a release back."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from delivery import gate_words


def seconds(label: Any, default: int, most: int, least: int = 0) -> Any:
    """Make a field for a number of seconds, between `least` and `most`."""
    return models.PositiveIntegerField(
        label,
        default=default,
        validators=[MinValueValidator(least), MaxValueValidator(most)],
    )


class Canary(models.Model):
    """Which hosts go first, and what is asked of them meanwhile."""

    class Comparison(models.TextChoices):
        """When a measured value is bad."""

        ABOVE = "above", _("above the limit")
        BELOW = "below", _("below the limit")

    class Measure(models.TextChoices):
        """What of a measured value is compared."""

        VALUE = "value", _("the value")
        RATE = gate_words.RATE, _("its increase per second")

    canary_hosts = models.PositiveIntegerField(
        _("hosts of the canary"), default=1, validators=[MinValueValidator(1)]
    )
    canary_group = models.ForeignKey(
        "cmdb.HostGroup",
        verbose_name=_("group of the canary"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)s_canaries",
        help_text=_(
            "All its hosts that are delivered to go first. Empty: the first by name, as many as the number says."
        ),
    )
    canary_watch_seconds = seconds(_("the canary is watched for (s)"), 300, 86_400)
    gate_metric = models.CharField(
        _("measured value"),
        max_length=200,
        blank=True,
        validators=[gate_words.check_metric],
        help_text=_(
            "Name of a metric that the hosts send, such as http_errors_total; empty: none is asked."
        ),
    )
    gate_measure = models.CharField(
        _("compared is"),
        max_length=10,
        choices=Measure,
        default=Measure.VALUE,
        help_text=_(
            "A counter, such as http_errors_total, says nothing but by its increase."
        ),
    )
    gate_divisor = models.CharField(
        _("divided by"),
        max_length=200,
        blank=True,
        validators=[gate_words.check_metric],
        help_text=_(
            "A second metric, such as http_requests_total: errors per request. Empty: nothing."
        ),
    )
    gate_comparison = models.CharField(
        _("it is bad"), max_length=10, choices=Comparison, default=Comparison.ABOVE
    )
    gate_limit = models.FloatField(_("limit"), default=0)

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Refuse a divisor of nothing."""
        super().clean()
        if self.gate_divisor and not self.gate_metric:
            raise ValidationError({"gate_metric": _("Say what is to be divided.")})

"""What was agreed with suppliers: contracts, and the purchases that came of them."""

from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cmdb.money import Priced, amount_field, in_order, with_currency

# Nobody has to end a contract more than ten years ahead.
MOST_NOTICE_DAYS = 3650


def _before(day: date | None, days: int | None) -> date | None:
    """Give the day so many days before another; None where one of them is not known."""
    if day is None or not days or day.toordinal() <= days:
        return None
    return day - timedelta(days=days)


class Contract(Priced):
    """A contract: what was agreed with whom, for which hosts, until when, for how much."""

    class Kind(models.TextChoices):
        """Kinds of contract."""

        PURCHASE = "purchase", _("purchase")
        MAINTENANCE = "maintenance", _("maintenance")
        LEASE = "lease", _("lease")
        SERVICE = "service", _("service")
        LICENCE = "licence", _("licence")

    amounts = ("amount", "budgeted", "paid")

    number = models.CharField(_("contract number"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(
        _("kind"), max_length=20, choices=Kind, default=Kind.MAINTENANCE
    )
    supplier = models.ForeignKey(
        "cmdb.Supplier",
        verbose_name=_("supplier"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="contracts",
    )
    starts_on = models.DateField(_("starts"), null=True, blank=True)
    ends_on = models.DateField(_("ends"), null=True, blank=True, db_index=True)
    notice_days = models.PositiveSmallIntegerField(
        _("notice (days)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MOST_NOTICE_DAYS)],
        help_text=_("So many days before its end it has to be ended or renewed."),
    )
    # Kept beside, because databases do not agree on how to take days from a date; NULL where no notice is due.
    notice_by = models.DateField(
        _("notice by"), null=True, blank=True, editable=False, db_index=True
    )
    budgeted = amount_field(_("budgeted"), null=True, blank=True)
    paid = amount_field(_("paid"), null=True, blank=True)
    branch = models.ForeignKey(
        "cmdb.Branch",
        verbose_name=_("branch"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="contracts",
    )
    owner = models.CharField(_("owner"), max_length=100, blank=True)
    service_phone = models.CharField(_("service phone"), max_length=50, blank=True)
    serial = models.CharField(_("serial number"), max_length=200, blank=True)
    spec = models.TextField(_("specification"), blank=True)
    hosts = models.ManyToManyField(
        "cmdb.Host",
        verbose_name=_("hosts"),
        blank=True,
        related_name="contracts",
        help_text=_("Those that it keeps under warranty, maintains or lends."),
    )
    notes = models.TextField(_("notes"), blank=True)

    budgeted_money = with_currency("budgeted", _("budgeted"))
    paid_money = with_currency("paid", _("paid"))

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"

    def clean(self) -> None:
        """Refuse a contract that ends before it starts, and money without a currency.

        Raises:
            ValidationError: names the field.
        """
        super().clean()
        in_order(self.starts_on, self.ends_on, "ends_on")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the last day of notice in step with the end."""
        self.notice_by = _before(self.ends_on, self.notice_days)
        super().save(*args, **kwargs)


class Purchase(Priced):
    """An order: what was bought from whom, from which budget, and which hosts came of it."""

    number = models.CharField(_("order number"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    supplier = models.ForeignKey(
        "cmdb.Supplier",
        verbose_name=_("supplier"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="purchases",
    )
    contract = models.ForeignKey(
        "cmdb.Contract",
        verbose_name=_("contract"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="purchases",
    )
    budget = models.ForeignKey(
        "cmdb.Budget",
        verbose_name=_("budget"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="purchases",
    )
    ordered_on = models.DateField(_("ordered"), null=True, blank=True, db_index=True)
    delivered_on = models.DateField(_("delivered"), null=True, blank=True)
    hosts = models.ManyToManyField(
        "cmdb.Host", verbose_name=_("hosts"), blank=True, related_name="purchases"
    )
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("purchase")
        verbose_name_plural = _("purchases")
        ordering = ["number"]

    def __str__(self) -> str:
        return f"{self.number} {self.name}".strip()

    def clean(self) -> None:
        """Refuse a delivery before the order, and money without a currency.

        Raises:
            ValidationError: names the field.
        """
        super().clean()
        if (
            self.ordered_on
            and self.delivered_on
            and self.delivered_on < self.ordered_on
        ):
            said = gettext("It was delivered before it was ordered.")
            raise ValidationError({"delivered_on": said})

"""Lines to the outside: from whom, how fast, for how much and until when."""

import ipaddress

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cmdb.organisation import Asset, currency_code
from cmdb.zones import supplier_field


class BandwidthLine(Asset):
    """A line to the outside that is paid by the month."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    idc = models.ForeignKey(
        "cmdb.Idc",
        verbose_name=_("IDC"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="lines",
    )
    supplier = supplier_field(_("supplier"), "lines")
    line_number = models.CharField(_("line number"), max_length=100, blank=True)
    down_mbps = models.PositiveIntegerField(_("down (Mbit/s)"), null=True, blank=True)
    up_mbps = models.PositiveIntegerField(_("up (Mbit/s)"), null=True, blank=True)
    addresses = models.TextField(
        _("addresses"), blank=True, help_text=_("Addresses or networks, one on a line.")
    )
    price_month = models.DecimalField(
        _("price a month"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    currency = models.CharField(
        _("currency"), max_length=3, blank=True, validators=[currency_code]
    )
    starts_on = models.DateField(_("starts"), null=True, blank=True)
    ends_on = models.DateField(_("ends"), null=True, blank=True, db_index=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("bandwidth line")
        verbose_name_plural = _("bandwidth lines")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse what is no address, and a line that ends before it starts.

        Raises:
            ValidationError: names the field.
        """
        for each in self.addresses.split():
            try:
                ipaddress.ip_network(each, strict=False)
            except ValueError as error:
                why = gettext("%(entry)s is neither an address nor a network.")
                raise ValidationError({"addresses": why % {"entry": each}}) from error
        if self.starts_on and self.ends_on and self.ends_on < self.starts_on:
            raise ValidationError({"ends_on": gettext("It ends before it starts.")})

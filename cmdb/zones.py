"""DNS zones and their records, each value checked by its type."""

import hashlib
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cmdb import records
from cmdb.reference import Linked


def supplier_field(label: Any, related_name: str) -> models.ForeignKey:
    """Make the field that says from whom something comes."""
    return models.ForeignKey(
        "cmdb.Supplier",
        verbose_name=label,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name=related_name,
    )


class DnsZone(Linked):
    """A zone of the DNS."""

    name = models.CharField(
        _("name"), max_length=253, unique=True, validators=[records.check_name]
    )
    domain = models.ForeignKey(
        "cmdb.DomainName",
        verbose_name=_("domain name"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="zones",
    )
    supplier = supplier_field(_("DNS provider"), "zones")
    name_servers = models.CharField(_("name servers"), max_length=250, blank=True)
    default_ttl = models.PositiveIntegerField(
        _("TTL (seconds)"),
        default=3600,
        validators=[MaxValueValidator(2**31 - 1)],
    )
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("DNS zone")
        verbose_name_plural = _("DNS zones")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Write the name one way."""
        self.name = self.name.lower().removesuffix(".")


class DnsRecord(Linked):
    """A record of a zone; one that names an address belongs to the address's host."""

    class Type(models.TextChoices):
        """Types of record."""

        A = "A", "A"
        AAAA = "AAAA", "AAAA"
        CNAME = "CNAME", "CNAME"
        MX = "MX", "MX"
        TXT = "TXT", "TXT"
        NS = "NS", "NS"
        SRV = "SRV", "SRV"
        CAA = "CAA", "CAA"
        PTR = "PTR", "PTR"

    zone = models.ForeignKey(
        "cmdb.DnsZone",
        verbose_name=_("zone"),
        on_delete=models.PROTECT,
        related_name="records",
        db_index=False,
    )
    name = models.CharField(
        _("name"),
        max_length=253,
        default="@",
        validators=[records.check_owner],
        help_text=_("Within the zone; @ is the zone itself."),
    )
    type = models.CharField(_("type"), max_length=10, choices=Type)
    value = models.CharField(
        _("value"),
        max_length=4000,
        help_text=_("As in a zone file: 192.0.2.7, or 10 mail.example.com."),
    )
    # Values are longer than an index takes.
    value_digest = models.CharField(max_length=64, editable=False)
    ttl = models.PositiveIntegerField(
        _("TTL (seconds)"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(2**31 - 1)],
        help_text=_("Empty: the zone's."),
    )
    address = models.ForeignKey(
        "cmdb.IpAddress",
        verbose_name=_("IP address"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="dns_records",
    )
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("DNS record")
        verbose_name_plural = _("DNS records")
        ordering = ["zone_id", "name", "type", "value_digest"]
        constraints = [
            models.UniqueConstraint(
                fields=["zone", "name", "type", "value_digest"],
                name="dns_record_once_in_zone",
            )
        ]
        indexes = [models.Index(fields=["name", "id"], name="dns_record_by_name")]

    def __str__(self) -> str:
        zone = self.zone.name
        return f"{zone if self.name == '@' else f'{self.name}.{zone}'} {self.type}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the digest in step with the value."""
        self.value_digest = self._digest()
        super().save(*args, **kwargs)

    def _digest(self) -> str:
        return hashlib.sha256(self.value.encode("utf-8", "replace")).hexdigest()

    def clean(self) -> None:
        """Check the value by the type, the address against the value, and the neighbours.

        Raises:
            ValidationError: names the field.
        """
        self.name = self.name.lower()
        if self.type not in records.READERS or not self.value or not self.zone_id:
            return
        try:
            self.value = records.cleaned(self.type, self.value)
        except ValidationError as error:
            raise ValidationError({"value": error.messages}) from error
        if (
            self.address is not None
            and self.type in {"A", "AAAA"}
            and str(self.address.address) != self.value
        ):
            raise ValidationError(
                {"address": gettext("The record names another address than this one.")}
            )
        self._check_neighbours()

    def _check_neighbours(self) -> None:
        beside = DnsRecord.objects.filter(zone_id=self.zone_id, name=self.name)
        beside = beside.exclude(pk=self.pk)
        if beside.filter(type=self.type, value_digest=self._digest()).exists():
            raise ValidationError(
                {"value": gettext("The zone has this record already.")}
            )
        alone = self.type == self.Type.CNAME
        if (alone and beside.exists()) or beside.filter(type=self.Type.CNAME).exists():
            raise ValidationError(
                {"name": gettext("A CNAME stands alone: no other record has its name.")}
            )
        if alone and self.name == "@":
            raise ValidationError({"name": gettext("A zone itself can be no CNAME.")})

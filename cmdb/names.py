"""Names on the internet that are paid for or run out: domain names, CDN domains, certificates."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cmdb import records
from cmdb.organisation import Asset, currency_code
from cmdb.reference import port_range
from cmdb.zones import supplier_field

# From here on the page of a certificate warns.
WARN_DAYS = 30


class DomainName(Asset):
    """A domain name that is paid for."""

    name = models.CharField(
        _("name"), max_length=253, unique=True, validators=[records.check_name]
    )
    registrar = supplier_field(_("registrar"), "domain_names")
    registered_on = models.DateField(_("registered"), null=True, blank=True)
    expires_on = models.DateField(_("expires"), null=True, blank=True, db_index=True)
    auto_renew = models.BooleanField(_("renews itself"), default=False)
    price = models.DecimalField(
        _("price a year"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    currency = models.CharField(
        _("currency"), max_length=3, blank=True, validators=[currency_code]
    )
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("domain name")
        verbose_name_plural = _("domain names")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Write the name one way, and refuse an end before the start.

        Raises:
            ValidationError: names the field.
        """
        self.name = self.name.lower().removesuffix(".")
        if (
            self.registered_on
            and self.expires_on
            and self.expires_on < self.registered_on
        ):
            raise ValidationError(
                {"expires_on": gettext("It expires before it was registered.")}
            )


class Certificate(Asset):
    """A TLS certificate: fetched from a server again and again, or pasted."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    server = models.CharField(
        _("server"),
        max_length=253,
        blank=True,
        validators=[records.check_server],
        help_text=_("Name or address of a server that shows it."),
    )
    port = models.PositiveIntegerField(_("port"), default=443, validators=port_range)
    server_name = models.CharField(
        _("name to ask for"),
        max_length=253,
        blank=True,
        validators=[records.check_name],
        help_text=_("Empty: the server's. Other than it where many share a server."),
    )
    pem = models.TextField(
        _("certificate (PEM)"),
        blank=True,
        help_text=_(
            "Paste it where no server can be asked. Never paste a private key."
        ),
    )
    notes = models.TextField(_("notes"), blank=True)

    subject = models.CharField(_("subject"), max_length=500, blank=True, editable=False)
    issuer = models.CharField(_("issuer"), max_length=500, blank=True, editable=False)
    names = models.JSONField(_("names in it"), default=list, blank=True, editable=False)
    serial = models.CharField(
        _("serial number"), max_length=64, blank=True, editable=False, db_index=True
    )
    fingerprint = models.CharField(
        _("fingerprint (SHA-256)"), max_length=64, blank=True, editable=False
    )
    not_before = models.DateTimeField(
        _("valid from"), null=True, blank=True, editable=False
    )
    not_after = models.DateTimeField(
        _("valid until"), null=True, blank=True, editable=False
    )
    expires_on = models.DateField(
        _("expires"), null=True, blank=True, editable=False, db_index=True
    )
    chain_problem = models.CharField(
        _("problem of trust"), max_length=300, blank=True, editable=False
    )
    checked_at = models.DateTimeField(
        _("checked"), null=True, blank=True, editable=False, db_index=True
    )
    error = models.CharField(
        _("why it could not be fetched"), max_length=500, blank=True, editable=False
    )

    class Meta:
        verbose_name = _("certificate")
        verbose_name_plural = _("certificates")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Want either a server or a pasted certificate.

        Raises:
            ValidationError: names the field.
        """
        if "PRIVATE KEY" in self.pem:
            self.pem = ""
            raise ValidationError(
                {
                    "pem": gettext(
                        "This holds a private key: paste the certificate only."
                    )
                }
            )
        if bool(self.server) == bool(self.pem.strip()):
            raise ValidationError(
                gettext("Name a server, or paste a certificate: one of the two.")
            )

    @property
    def badge(self) -> dict[str, str] | None:
        """Give the state as the head of the page draws it."""
        state, label = self.state
        return {"state": state, "label": label}

    @property
    def state(self) -> tuple[str, str]:
        """Say (colour, words): what is worst about it."""
        if self.expires_on is None:
            return ("danger", gettext("unreachable")) if self.error else ("idle", "-")
        today: date = timezone.now().date()
        if self.expires_on < today:
            return "danger", gettext("expired")
        if self.error:
            return "danger", gettext("unreachable")
        if self.chain_problem:
            return "warning", gettext("not trusted")
        if self.expires_on <= today + timedelta(days=WARN_DAYS):
            return "warning", gettext("expires soon")
        return "ok", gettext("valid")


class CdnDomain(Asset):
    """A domain that a CDN serves for us."""

    class State(models.TextChoices):
        """Whether it serves."""

        ONLINE = "online", _("online")
        CONFIGURING = "configuring", _("being set up")
        OFFLINE = "offline", _("offline")

    name = models.CharField(
        _("name"), max_length=253, unique=True, validators=[records.check_name]
    )
    origin = models.CharField(
        _("origin"),
        max_length=300,
        blank=True,
        help_text=_("Name or address, with the port if it is another than usual."),
    )
    cname = models.CharField(
        _("CNAME"), max_length=253, blank=True, validators=[records.check_name]
    )
    supplier = supplier_field(_("supplier"), "cdn_domains")
    domain = models.ForeignKey(
        "cmdb.DomainName",
        verbose_name=_("domain name"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="cdn_domains",
    )
    certificate = models.ForeignKey(
        "cmdb.Certificate",
        verbose_name=_("certificate"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="cdn_domains",
    )
    state = models.CharField(
        _("state"), max_length=15, choices=State, default=State.ONLINE
    )
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("CDN domain")
        verbose_name_plural = _("CDN domains")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Write the name one way."""
        self.name = self.name.lower().removesuffix(".")

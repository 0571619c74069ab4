"""Service checks: what is asked, how often, and what counts as an answer."""

from datetime import datetime
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from cmdb.reference import port_range
from monitor import check_texts
from monitor.watched_models import Watched

# The longest interval and time-out.
DAY_SECONDS = 86400
MOST_TIMEOUT = 60


def _number(
    label: Any, default: int, least: int, most: int, help_text: Any = ""
) -> models.PositiveIntegerField:
    limits = [MinValueValidator(least), MaxValueValidator(most)]
    return models.PositiveIntegerField(
        label, default=default, validators=limits, help_text=help_text
    )


class ServiceCheck(Watched):
    """A question to a service, asked again and again."""

    class Kind(models.TextChoices):
        """Kinds of question."""

        PING = "ping", _("ping")
        TCP = "tcp", _("TCP connection")
        HTTP = "http", _("HTTP")
        CERTIFICATE = "certificate", _("days of a certificate")
        DNS = "dns", _("DNS answer")
        PORT = "port", _("port listens (by the agent)")
        PROCESS = "process", _("process runs (by the agent)")

    class Method(models.TextChoices):
        """HTTP methods that change nothing, and POST."""

        GET = "GET", "GET"
        HEAD = "HEAD", "HEAD"
        OPTIONS = "OPTIONS", "OPTIONS"
        POST = "POST", "POST"

    class Record(models.TextChoices):
        """Types of DNS record."""

        A = "A", "A"
        AAAA = "AAAA", "AAAA"
        CNAME = "CNAME", "CNAME"
        MX = "MX", "MX"
        NS = "NS", "NS"
        TXT = "TXT", "TXT"
        SOA = "SOA", "SOA"
        SRV = "SRV", "SRV"

    FOUND: ClassVar[frozenset[str]] = frozenset(
        {
            "state",
            "sentence",
            "since",
            "known_from",
            "streak",
            "latency_ms",
            "checked_at",
            "next_at",
            "claim",
        }
    )

    kind = models.CharField(_("kind"), max_length=15, choices=Kind, default=Kind.HTTP)
    target = models.CharField(
        _("target"),
        max_length=500,
        blank=True,
        help_text=_(
            "Address or name; for HTTP a whole address, in which {address} stands for that of the host. Empty: the host."
        ),
    )
    port = models.PositiveIntegerField(
        _("port"), null=True, blank=True, validators=port_range
    )
    site = models.CharField(
        _("from site"),
        max_length=50,
        blank=True,
        help_text=_("Where it is asked from. Empty: from the portal."),
    )
    every_seconds = _number(_("every (s)"), 60, 5, DAY_SECONDS)
    timeout_seconds = _number(_("time-out (s)"), 10, 1, MOST_TIMEOUT)
    retries = _number(
        _("retries"),
        2,
        0,
        20,
        help_text=_("So many failures more, one after the other, until it is down."),
    )
    recover_after = _number(
        _("recovers after"),
        1,
        1,
        20,
        help_text=_("So many good answers, one after the other, until it is up again."),
    )
    latency_limit_ms = models.PositiveIntegerField(
        _("latency limit (ms)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_TIMEOUT * 1000)],
        help_text=_("A slower answer makes it degraded."),
    )

    method = models.CharField(
        _("method"), max_length=10, choices=Method, default=Method.GET
    )
    statuses = models.CharField(
        _("good statuses"),
        max_length=200,
        default="200-399",
        validators=[check_texts.check_statuses],
        help_text=_("Numbers and ranges: 200-299, 301."),
    )
    text = models.CharField(_("text"), max_length=500, blank=True)
    text_absent = models.BooleanField(
        _("text must be missing"),
        default=False,
        help_text=_("The answer is good when it does not contain the text."),
    )
    headers = models.TextField(
        _("headers"),
        blank=True,
        max_length=4000,
        validators=[check_texts.check_headers],
        help_text=_("One on a line, `Name: value`. Everybody who sees it reads them."),
    )
    secret_header = EncryptedTextField(
        _("secret header"),
        help_text=_("One header that nobody sees, such as `Authorization: Bearer …`."),
    )
    follow_redirects = models.BooleanField(_("follow redirects"), default=False)
    verify_tls = models.BooleanField(_("verify the certificate"), default=True)

    warn_days = _number(_("degraded below (days)"), 21, 0, 3650)
    bad_days = _number(_("down below (days)"), 7, 0, 3650)

    record_type = models.CharField(
        _("record type"), max_length=10, choices=Record, default=Record.A
    )
    query_name = models.CharField(_("name asked for"), max_length=253, blank=True)
    expected = models.CharField(
        _("expected answer"),
        max_length=500,
        blank=True,
        help_text=_("One of the records must be this. Empty: any answer."),
    )
    process = models.CharField(
        _("process or unit"),
        max_length=200,
        blank=True,
        help_text=_("As the agent names it: nginx, or nginx.service."),
    )

    # Answers in a row that speak for another state: above 0 for a worse one, below 0 for a better one.
    streak = models.SmallIntegerField(default=0, editable=False)
    latency_ms = models.FloatField(
        _("latency (ms)"), null=True, blank=True, editable=False
    )
    checked_at = models.DateTimeField(
        _("last asked"), null=True, blank=True, editable=False
    )
    # When it is due, or when a worker that took it is given up; none while it is paused.
    next_at = models.DateTimeField(
        _("asked next"),
        null=True,
        blank=True,
        editable=False,
    )
    claim = models.UUIDField(null=True, editable=False, default=None)

    class Meta:
        verbose_name = _("service check")
        verbose_name_plural = _("service checks")
        ordering = ["name"]
        indexes = [
            models.Index(fields=["site", "next_at"], name="check_due"),
            models.Index(fields=["next_at"], name="check_overdue"),
        ]
        permissions = [
            (
                "anywhere_servicecheck",
                "Can check an address that is not that of a host",
            )
        ]

    def begin(self, now: datetime) -> None:
        """Fill in what a new one starts from: it is asked at once."""
        super().begin(now)
        if self.enabled:
            self.next_at = self.next_at or now

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("monitor:servicecheck_detail", args=[self.pk])

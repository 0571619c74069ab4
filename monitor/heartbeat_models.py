"""Heartbeats: jobs that call a URL of their own when they are done, and are missed when they do not."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from adminset.crypto import EncryptedTextField
from monitor.watched_models import State, Watched
from tasks import timing
from tasks.checks import check_time_zone

YEAR_SECONDS = 366 * 86400


def new_key() -> str:
    """Make a key that nobody guesses: 256 random bits."""
    return secrets.token_urlsafe(32)


def digest_of(key: str) -> str:
    """Give what a key is found by; long enough a key needs no pepper, and lives on when SECRET_KEY changes."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


class SecretDigest(models.CharField):
    """A column that the audit trail masks."""

    secret = True


class Heartbeat(Watched):
    """A job that says when it is done."""

    FOUND: ClassVar[frozenset[str]] = frozenset(
        {
            "state",
            "sentence",
            "since",
            "known_from",
            "key",
            "key_digest",
            "alert_after",
            "last_ping_at",
            "started_at",
            "last_duration_ms",
            "last_body",
            "pings",
        }
    )

    period_seconds = models.PositiveIntegerField(
        _("every (s)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(30), MaxValueValidator(YEAR_SECONDS)],
        help_text=_("So often at least it says that it is done: 86400 is a day."),
    )
    crontab = models.CharField(
        _("crontab"),
        max_length=100,
        blank=True,
        validators=[timing.check_crontab],
        help_text=_(
            "Minute, hour, day, month, weekday: `30 2 * * 1-5` is 02:30 from Monday to Friday."
        ),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[check_time_zone],
        help_text=_("For the crontab: Asia/Shanghai, UTC."),
    )
    grace_seconds = models.PositiveIntegerField(
        _("grace (s)"),
        default=300,
        validators=[MinValueValidator(0), MaxValueValidator(YEAR_SECONDS)],
        help_text=_("So long it is late before it is down."),
    )

    key = EncryptedTextField(_("key"), editable=False)
    key_digest = SecretDigest(max_length=64, unique=True, editable=False)
    # When its state changes if nothing comes; none where nothing is expected.
    alert_after = models.DateTimeField(
        null=True, blank=True, editable=False, db_index=True
    )
    last_ping_at = models.DateTimeField(
        _("last sign"), null=True, blank=True, editable=False
    )
    started_at = models.DateTimeField(
        _("started"), null=True, blank=True, editable=False
    )
    last_duration_ms = models.BigIntegerField(
        _("took (ms)"), null=True, blank=True, editable=False
    )
    last_body = models.TextField(
        _("last message"), blank=True, default="", editable=False
    )
    pings = models.PositiveBigIntegerField(_("signs"), default=0, editable=False)

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")
        ordering = ["name"]

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("monitor:heartbeat_detail", args=[self.pk])

    @property
    def badge(self) -> dict[str, Any]:
        """Give its state as the head of the page draws it: one that is degraded is late."""
        late = self.state == State.DEGRADED
        return {
            "state": self.colour,
            "label": pgettext_lazy("service", "late")
            if late
            else self.get_state_display(),
        }

    def due_after(self, moment: datetime) -> datetime | None:
        """Give when the next sign is expected after one at `moment`; None for a crontab that never comes."""
        if self.period_seconds:
            return moment + timedelta(seconds=self.period_seconds)
        plan = timing.Plan(None, self.crontab, self.time_zone)
        return next(iter(plan.upcoming(moment, 1)), None)

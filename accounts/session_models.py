"""What proves who somebody is: sessions of browsers, the second factor, recovery codes."""

from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import browsers, words
from accounts.token_models import HashField
from adminset.crypto import EncryptedTextField
from adminset.querysets import ScopedQuerySet


class PortalSessionQuerySet(ScopedQuerySet):
    """Sessions by whether they have ended."""

    def alive(self) -> Self:
        """Narrow to sessions within both time-outs: since the last act, and since the sign-in."""
        now = timezone.now()
        return self.filter(
            expire_date__gt=now,
            began_at__gt=now - timedelta(seconds=settings.SESSION_COOKIE_AGE),
            seen_at__gt=now - timedelta(seconds=settings.SESSION_IDLE_SECONDS),
        )

    def of_users(self) -> Self:
        """Narrow to sessions in which somebody is signed in."""
        return self.alive().exclude(user=None).select_related("user")

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to what the user may see: of sessions that have ended, and of visitors, nothing."""
        return super().visible_to(user, action).of_users()


class PortalSession(models.Model):
    """A browser that is signed in. `session_key` holds a keyed hash of the cookie: who reads the table gets no session."""

    # The names of these three are those of Django's own sessions.
    session_key = HashField(max_length=64, unique=True, editable=False)
    session_data = models.TextField(editable=False)
    expire_date = models.DateTimeField(_("ends at the latest"), db_index=True)
    user = models.ForeignKey(
        "accounts.User",
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="sessions",
    )
    method = models.CharField(_("signed in by"), max_length=40, blank=True)
    address = models.CharField(_("address"), max_length=64, blank=True)
    browser = models.CharField(_("browser"), max_length=300, blank=True)
    began_at = models.DateTimeField(_("began"), default=timezone.now)
    seen_at = models.DateTimeField(_("last active"), default=timezone.now)

    objects = PortalSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        ordering = ["-seen_at", "-pk"]
        default_permissions = ("view", "delete")

    def __str__(self) -> str:
        return f"{self.user or '-'} {self.address}".strip()

    @property
    def browser_words(self) -> str:
        """The browser as people call it."""
        return browsers.in_words(self.browser)

    @property
    def method_words(self) -> str:
        """How the user signed in, in words."""
        return words.method_words(self.method)


class SecondFactor(models.Model):
    """The secret that a user's authenticator app makes codes from (TOTP, RFC 6238)."""

    user = models.OneToOneField(
        "accounts.User",
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="second_factor",
    )
    secret = EncryptedTextField(_("secret"))
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    # The time step of the last code taken: no code is taken twice.
    last_step = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("second factor")
        verbose_name_plural = _("second factors")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.user)


class RecoveryCode(models.Model):
    """A code for the day when the telephone is gone: kept as a hash, good once."""

    user = models.ForeignKey(
        "accounts.User", on_delete=models.CASCADE, related_name="recovery_codes"
    )
    code_hash = HashField(max_length=64)
    used_at = models.DateTimeField(_("used"), null=True, blank=True)

    class Meta:
        verbose_name = _("recovery code")
        verbose_name_plural = _("recovery codes")
        default_permissions = ()

    def __str__(self) -> str:
        return f"recovery code {self.pk}"

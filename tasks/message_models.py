"""What web-hooks keep of the messages that come to them: each one with what became of it, and signs to know it again by."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Message(models.Model):
    """One message that bore the right signature, and what became of it.

    Each kind adds `hook` (related_name "deliveries") and what the message brought.
    """

    class Verdict(models.TextChoices):
        """What became of it."""

        STARTED = "started", _("started")
        PING = "ping", _("greeting")
        LEFT = "left", _("left alone")
        REPEATED = "repeated", _("came before")
        REFUSED = "refused", _("refused")

    at = models.DateTimeField(_("time"), default=timezone.now)
    event = models.CharField(_("event"), max_length=80, blank=True)
    delivery = models.CharField(_("delivery"), max_length=200, blank=True)
    address = models.CharField(_("from"), max_length=64, blank=True)
    verdict = models.CharField(_("what became of it"), max_length=10, choices=Verdict)
    words = models.TextField(_("why"), blank=True)
    body_hash = models.CharField(_("SHA-256 of the body"), max_length=64, blank=True)
    # The beginning of the body, without what looks like a secret.
    excerpt = models.TextField(_("beginning of the body"), blank=True)

    class Meta:
        abstract = True
        default_permissions = ()
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.event} {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def colour(self) -> str:
        """Colour of the verdict."""
        return {"started": "ok", "refused": "danger"}.get(self.verdict, "idle")


class Seen(models.Model):
    """A sign by which a message would be known again: for a day it starts nothing a second time.

    Each kind adds `hook` (related_name "seen"; one row of a hook and a sign) and `delivery`.
    """

    # SHA-256 of the delivery's id, of the signed time with the body, or of the body.
    sign = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        abstract = True
        default_permissions = ()

    def __str__(self) -> str:
        return self.sign[:12]

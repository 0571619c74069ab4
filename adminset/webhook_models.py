"""Web-hooks: who is told of which changes, and what became of each message."""

import uuid
from typing import Any

from django.core.validators import URLValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from adminset.querysets import ScopedQuerySet


class WebHook(models.Model):
    """A receiver of changes: each is sent as a message in its form (docs/webhooks.md)."""

    class What(models.TextChoices):
        """What happens to objects."""

        CREATE = "create", _("added")
        UPDATE = "update", _("changed")
        DELETE = "delete", _("deleted")
        OTHER = "other", _("anything else")

    class Format(models.TextChoices):
        """For whom messages are written."""

        GENERIC = "generic", _("programs: signed JSON")
        SLACK = "slack", "Slack"
        DINGTALK = "dingtalk", _("DingTalk")
        WECOM = "wecom", _("WeCom")
        FEISHU = "feishu", _("Feishu, Lark")

    name = models.CharField(_("name"), max_length=100, unique=True)
    format = models.CharField(
        _("format"),
        max_length=10,
        choices=Format,
        default=Format.GENERIC,
        help_text=_(
            "Chats get one sentence and the link to the page (set ADMINSET_PORTAL_URL)."
        ),
    )
    url = models.CharField(
        _("address"),
        max_length=500,
        validators=[URLValidator(schemes=["https"])],
        help_text=_(
            "Begins with https://. Of a chat only the host is shown later: the rest lets anybody write there."
        ),
    )
    # What follows the host in the address of a chat.
    url_secret = EncryptedTextField(_("rest of the address"), editable=False)
    secret = EncryptedTextField(
        _("secret"),
        help_text=_(
            "Signs each message, so that the receiver knows it is ours; 16 characters at least. Slack and WeCom have none; "
            "DingTalk and Feishu want the one that they show, where the robot is set to signatures."
        ),
    )
    # Labels of models ("cmdb.host"), and words of What.
    kinds = models.JSONField(_("kinds of object"), default=list)
    verbs = models.JSONField(_("what happens to them"), default=list)
    # Keys of projects. A list, and no links: where the last of them is deleted it tells of nothing, and not of everything.
    projects = models.JSONField(_("only of these projects"), default=list, blank=True)
    active = models.BooleanField(_("active"), default=True)
    failures = models.PositiveIntegerField(
        _("failures one after the other"), default=0, editable=False
    )
    paused_until = models.DateTimeField(
        _("tried again"), null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("web-hook")
        verbose_name_plural = _("web-hooks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Give the address of its page."""
        return reverse("adminset:webhook_detail", args=[self.pk])

    @property
    def address(self) -> str:
        """Whole address to which messages go."""
        rest: Any = self.url_secret
        return self.url + (rest.reveal() if rest else "")

    @property
    def badge(self) -> dict[str, Any]:
        """Give its state as the head of the page draws it."""
        if not self.active:
            return {"state": "idle", "label": _("off")}
        if self.failures:
            return {"state": "warning", "label": _("fails")}
        return {"state": "ok", "label": _("active")}


class WebHookDelivery(models.Model):
    """One message to one receiver: what was to be sent, how often it was tried, what came of it."""

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", _("waits")
        SENT = "sent", _("sent")
        FAILED = "failed", _("given up")

    hook = models.ForeignKey(
        "adminset.WebHook",
        verbose_name=_("web-hook"),
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
    )
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.CharField(_("action"), max_length=80)
    target = models.CharField(_("object"), max_length=200, blank=True)
    body = models.TextField(_("message"))
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.WAITING
    )
    tries = models.PositiveIntegerField(_("tries"), default=0)
    status = models.PositiveIntegerField(_("answer"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)
    duration_ms = models.PositiveIntegerField(_("took (ms)"), null=True, blank=True)
    next_at = models.DateTimeField(_("tried again"), default=timezone.now)
    created_at = models.DateTimeField(_("time"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        default_permissions = ()
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state", "hook", "next_at"], name="delivery_due"),
            models.Index(fields=["hook", "id"], name="delivery_of_hook"),
            models.Index(fields=["created_at"], name="delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.target}"

    @property
    def colour(self) -> str:
        """Colour of its state."""
        return {"sent": "ok", "failed": "danger"}.get(self.state, "busy")

"""Web-hooks of git hosts: which message brings which pipeline to which environment, what came, and what was treated already."""

import secrets

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from delivery.deploy_models import OfEnvironmentsQuerySet
from delivery.trigger_models import Trigger


def new_key() -> str:
    """Make the part of an address that nobody guesses."""
    return secrets.token_urlsafe(24)


def main_branch() -> list[str]:
    """Give the branch that a new web-hook listens to."""
    return ["main"]


class KeyField(models.CharField):
    """The part of an address that not everybody knows: the audit trail keeps a mask of it."""

    secret = True


class GitHook(Trigger):
    """An address that a git host calls when somebody pushes; what it brings is deployed as the user who saved it last.

    Branches, tags and paths are lists of patterns: one of the first list must fit, none of the second. No pattern, no
    branch (or tag); no pattern of paths: any change counts.
    """

    class Kind(models.TextChoices):
        """Whose way of signing."""

        GITHUB = "github", "GitHub"
        GITLAB = "gitlab", "GitLab"
        GITEA = "gitea", "Gitea, Forgejo"
        GOGS = "gogs", "Gogs"
        GITEE = "gitee", "Gitee"

    name = models.CharField(_("name"), max_length=100, unique=True)
    key = KeyField(
        _("key of the address"),
        max_length=64,
        unique=True,
        default=new_key,
        editable=False,
    )
    kind = models.CharField(
        _("git host"), max_length=10, choices=Kind, default=Kind.GITHUB
    )
    secret = EncryptedTextField(
        _("secret"),
        help_text=_(
            "The git host signs with it (GitLab, and Gitee with a password, send it along); 16 characters at least."
        ),
    )
    branches = models.JSONField(_("branches"), default=main_branch, blank=True)
    not_branches = models.JSONField(
        _("but not these branches"), default=list, blank=True
    )
    tags = models.JSONField(_("tags"), default=list, blank=True)
    not_tags = models.JSONField(_("but not these tags"), default=list, blank=True)
    paths = models.JSONField(_("only changes in"), default=list, blank=True)
    not_paths = models.JSONField(_("but not changes in"), default=list, blank=True)
    last_at = models.DateTimeField(
        _("last message"), null=True, blank=True, editable=False
    )

    objects = OfEnvironmentsQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("git web-hook")
        verbose_name_plural = _("git web-hooks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:githook_detail", args=[self.pk])


class GitHookDelivery(models.Model):
    """One message that bore the right signature, and what became of it."""

    class Verdict(models.TextChoices):
        """What became of it."""

        STARTED = "started", _("asked for")
        PING = "ping", _("greeting")
        LEFT = "left", _("left alone")
        REPEATED = "repeated", _("came before")
        REFUSED = "refused", _("refused")

    hook = models.ForeignKey(
        GitHook, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    at = models.DateTimeField(_("time"), default=timezone.now)
    event = models.CharField(_("event"), max_length=80, blank=True)
    delivery = models.CharField(_("delivery"), max_length=200, blank=True)
    address = models.CharField(_("from"), max_length=64, blank=True)
    verdict = models.CharField(_("what became of it"), max_length=10, choices=Verdict)
    words = models.TextField(_("why"), blank=True)
    ref = models.CharField(_("reference"), max_length=200, blank=True)
    commit = models.CharField(_("commit"), max_length=64, blank=True)
    request = models.ForeignKey(
        "delivery.DeployRequest",
        null=True,
        on_delete=models.SET_NULL,
        related_name="messages",
    )
    body_hash = models.CharField(_("SHA-256 of the body"), max_length=64, blank=True)
    # The beginning of the body, without what looks like a secret.
    excerpt = models.TextField(_("beginning of the body"), blank=True)

    class Meta:
        verbose_name = _("message of a git host")
        verbose_name_plural = _("messages of git hosts")
        default_permissions = ()
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["hook", "-id"], name="githook_latest"),
            models.Index(fields=["at"], name="githook_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def colour(self) -> str:
        """Colour of the verdict."""
        return {"started": "ok", "refused": "danger"}.get(self.verdict, "idle")


class GitHookSeen(models.Model):
    """A sign by which a message would be known again: for a day it starts nothing a second time."""

    hook = models.ForeignKey(
        GitHook, on_delete=models.CASCADE, related_name="seen", db_index=False
    )
    sign = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now, db_index=True)
    delivery = models.ForeignKey(
        GitHookDelivery, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["hook", "sign"], name="githook_seen_once")
        ]

    def __str__(self) -> str:
        return self.sign[:12]

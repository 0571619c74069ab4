"""Web-hooks of git hosts: which message brings which pipeline to which environment, what came, and what was treated already."""

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from delivery.deploy_models import OfEnvironmentsQuerySet
from delivery.trigger_models import Trigger
from tasks.hook_models import KeyField, new_key
from tasks.message_models import Message, Seen


def main_branch() -> list[str]:
    """Give the branch that a new web-hook listens to."""
    return ["main"]


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


class GitHookDelivery(Message):
    """One message of a git host, and what it asked for."""

    hook = models.ForeignKey(
        GitHook, on_delete=models.CASCADE, related_name="deliveries", db_index=False
    )
    ref = models.CharField(_("reference"), max_length=200, blank=True)
    commit = models.CharField(_("commit"), max_length=64, blank=True)
    request = models.ForeignKey(
        "delivery.DeployRequest",
        null=True,
        on_delete=models.SET_NULL,
        related_name="messages",
    )

    class Meta(Message.Meta):
        verbose_name = _("message of a git host")
        verbose_name_plural = _("messages of git hosts")
        indexes = [
            models.Index(fields=["hook", "-id"], name="githook_latest"),
            models.Index(fields=["at"], name="githook_age"),
        ]


class GitHookSeen(Seen):
    """A sign of a message of a git host."""

    hook = models.ForeignKey(
        GitHook, on_delete=models.CASCADE, related_name="seen", db_index=False
    )
    delivery = models.ForeignKey(
        GitHookDelivery, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta(Seen.Meta):
        constraints = [
            models.UniqueConstraint(fields=["hook", "sign"], name="githook_seen_once")
        ]

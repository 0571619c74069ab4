"""Web-hooks in: who may start what from outside, what came, and what was treated already; also keys of repeated requests."""

import secrets
from typing import Any, Self

from django.core.validators import RegexValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from tasks.message_models import Message, Seen
from tasks.vouched_models import Vouched
from tasks.work_models import Targets, visible_or_own

HEADER_NAME = r"\A[A-Za-z][A-Za-z0-9-]{0,63}\Z"


def new_key() -> str:
    """Make the part of an address that nobody guesses."""
    return secrets.token_urlsafe(24)


class KeyField(models.CharField):
    """The part of an address that not everybody knows: the audit trail keeps a mask of it."""

    secret = True


class InHookQuerySet(ScopedQuerySet):
    """Web-hooks by who may see or change them."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to all of them for who holds the permission everywhere, else to the user's own."""
        return visible_or_own(self, user, f"tasks.{action}_inhook", run_as=user)

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to none: what a web-hook touches is known only when it is called, so it lies in no group."""
        return self.none()


class InHook(Timestamped, Targets, Vouched):
    """An address that starts something when a signed message comes, as the user who saved it last.

    `match`: [{"path": "ref", "operator": "equals", "value": "refs/heads/main"}], all of them must hold.
    `extract`: [{"field": "answers.version", "path": "release.tag_name", "constant": "", "pattern": "v*", "optional": false}].
    Hosts, groups and filter are for a task module: a template and a workflow have their own.
    """

    class Kind(models.TextChoices):
        """Whose way of signing."""

        GENERIC = "generic", _("signed by HMAC-SHA256")
        GITHUB = "github", "GitHub"
        GITLAB = "gitlab", "GitLab"
        GITEA = "gitea", "Gitea"

    class Does(models.TextChoices):
        """What it starts."""

        TEMPLATE = "template", _("template")
        TASK_MODULE = "task_module", _("task module")
        WORKFLOW = "workflow", _("workflow")

    name = models.CharField(_("name"), max_length=100, unique=True)
    key = KeyField(
        _("key of the address"),
        max_length=64,
        unique=True,
        default=new_key,
        editable=False,
    )
    kind = models.CharField(
        _("sender"), max_length=10, choices=Kind, default=Kind.GENERIC
    )
    header = models.CharField(
        _("header of the signature"),
        max_length=64,
        default="X-AdminSet-Signature",
        validators=[RegexValidator(HEADER_NAME, _("A header's name: X-Signature."))],
        help_text=_("Of a sender that signs by HMAC-SHA256; others have their own."),
    )
    secret = EncryptedTextField(
        _("secret"),
        help_text=_(
            "The sender signs with it (GitLab sends it along); 16 characters at least."
        ),
    )
    does = models.CharField(
        _("starts"), max_length=12, choices=Does, default=Does.TEMPLATE
    )
    template = models.ForeignKey(
        "tasks.Template",
        verbose_name=_("template"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="inhooks",
    )
    task_module = models.ForeignKey(
        "tasks.TaskModule",
        verbose_name=_("task module"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="inhooks",
    )
    workflow = models.ForeignKey(
        "tasks.Workflow",
        verbose_name=_("workflow"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="inhooks",
    )
    events = models.JSONField(_("events"), default=list, blank=True)
    match = models.JSONField(_("only when"), default=list, blank=True)
    extract = models.JSONField(_("values"), default=list, blank=True)
    active = models.BooleanField(_("active"), default=True)
    run_as = models.ForeignKey(
        "accounts.User",
        verbose_name=_("runs as"),
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="inhooks",
    )
    notice = models.CharField(_("notice"), max_length=500, blank=True, editable=False)
    last_at = models.DateTimeField(
        _("last message"), null=True, blank=True, editable=False
    )

    objects = InHookQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("web-hook in")
        verbose_name_plural = _("web-hooks in")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:inhook_detail", args=[self.pk])

    @property
    def starts(self) -> Any:
        """The template, task module or workflow."""
        return getattr(self, self.does)

    starts.fget.short_description = _("starts")  # type: ignore[attr-defined]


class InHookDelivery(Message):
    """One message to a web-hook, and what it started."""

    hook = models.ForeignKey(
        "tasks.InHook",
        verbose_name=_("web-hook in"),
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
    )
    run = models.ForeignKey(
        "tasks.Run",
        verbose_name=_("run"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="inhook_deliveries",
    )
    workflow_run = models.ForeignKey(
        "tasks.WorkflowRun",
        verbose_name=_("run of the workflow"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="inhook_deliveries",
    )
    # As whom it started something: the steps of a workflow are still begun in that name.
    run_as = models.ForeignKey(
        "accounts.User",
        verbose_name=_("ran as"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    class Meta(Message.Meta):
        verbose_name = _("delivery of a web-hook in")
        verbose_name_plural = _("deliveries of web-hooks in")
        indexes = [
            models.Index(fields=["hook", "-id"], name="inhook_latest"),
            models.Index(fields=["at"], name="inhook_age"),
        ]

    @property
    def made(self) -> Any:
        """The run that it started, of hosts or of a workflow; None: nothing."""
        return self.run or self.workflow_run


class InHookSeen(Seen):
    """A sign of a message to a web-hook."""

    hook = models.ForeignKey(
        "tasks.InHook", on_delete=models.CASCADE, related_name="seen", db_index=False
    )
    delivery = models.ForeignKey(
        "tasks.InHookDelivery", null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta(Seen.Meta):
        constraints = [
            models.UniqueConstraint(fields=["hook", "sign"], name="inhook_seen_once")
        ]


class RepeatedRequest(models.Model):
    """The `Idempotency-Key` of a request that started something: sent again it gives the same, for a day."""

    # SHA-256 of who asked and of the key; SHA-256 of where and what was asked.
    key_hash = models.CharField(max_length=64, unique=True)
    body_hash = models.CharField(max_length=64)
    # Number of the run, or of the run of a workflow: the place that was asked says which.
    made = models.BigIntegerField(null=True)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key_hash[:12]

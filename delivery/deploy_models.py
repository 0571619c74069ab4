"""Deploys: one way of one release to the hosts of one environment, forward or back."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from adminset.querysets import Scope, ScopedQuerySet


class OfEnvironmentsQuerySet(ScopedQuerySet):
    """Rows that belong to an environment: who reaches its project reaches them."""

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to rows of the environments in the scope."""
        environments = self.model._meta.get_field("environment").related_model
        reached = environments._default_manager.all().within(scope, action)  # type: ignore[union-attr]
        return self.filter(environment__in=reached.order_by().values("pk"))


class DeployQuerySet(OfEnvironmentsQuerySet):
    """Deploys by who may see or stop them, and by how they stand."""

    def open(self) -> Self:
        """Narrow to deploys that have not ended."""
        return self.filter(status__in=Deploy.OPEN)


class Deploy(models.Model):
    """One delivery. `plan` is what a person said yes to, frozen; `plan_hash` names it, and nothing else is done."""

    class Status(models.TextChoices):
        """How a deploy stands."""

        WAITING_APPROVAL = "waiting_approval", _("waits for approval")
        # For a lock, a window or a turn: `waiting_for` says which.
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        # Somebody, or the policy, wants a person's word.
        PAUSED = "paused", _("paused")
        OK = "ok", _("ok")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        ROLLED_BACK = "rolled_back", _("failed, taken back")

    OPEN = (Status.WAITING_APPROVAL, Status.WAITING, Status.RUNNING, Status.PAUSED)
    # Ended, and the release it was for is live nowhere or only in part.
    BAD = (Status.FAILED, Status.CANCELLED, Status.ROLLED_BACK)
    STATES: ClassVar[dict[str, str]] = {
        "waiting_approval": "warning",
        "waiting": "idle",
        "running": "busy",
        "paused": "warning",
        "ok": "ok",
        "failed": "danger",
        "cancelled": "warning",
        "rolled_back": "danger",
    }

    class Kind(models.TextChoices):
        """What a deploy is."""

        DEPLOY = "deploy", _("deploy")
        ROLLBACK = "rollback", _("rollback")
        PROMOTE = "promote", _("promotion")

    class RefKind(models.TextChoices):
        """What was asked for."""

        BRANCH = "branch", pgettext_lazy("git", "branch")
        TAG = "tag", _("tag")
        COMMIT = "commit", _("commit")
        ARTEFACT = "artefact", _("artefact")
        UPLOAD = "upload", _("uploaded file")

    class Trigger(models.TextChoices):
        """What began it."""

        HAND = "hand", _("by hand")
        SCHEDULE = "schedule", _("schedule")
        HOOK = "hook", _("web-hook")
        API = "api", _("API")
        AFTER = "after", _("after another pipeline")
        SET = "set", _("in a set of releases")

    pipeline = models.ForeignKey(
        "delivery.Pipeline",
        verbose_name=_("pipeline"),
        on_delete=models.PROTECT,
        related_name="deploys",
    )
    environment = models.ForeignKey(
        "appconf.Environment",
        verbose_name=_("environment"),
        on_delete=models.PROTECT,
        related_name="deploys",
    )
    artefact = models.ForeignKey(
        "delivery.Artefact",
        verbose_name=_("artefact"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="deploys",
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.DEPLOY)
    ref_kind = models.CharField(
        _("kind of reference"), max_length=10, choices=RefKind, default=RefKind.BRANCH
    )
    ref = models.CharField(_("reference"), max_length=200, blank=True)
    commit = models.CharField(_("commit"), max_length=64, blank=True)
    branch = models.CharField(
        pgettext_lazy("git", "branch"), max_length=200, blank=True
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    trigger = models.CharField(
        _("begun"), max_length=10, choices=Trigger, default=Trigger.HAND
    )
    status = models.CharField(
        _("status"),
        max_length=20,
        choices=Status,
        default=Status.WAITING,
        db_index=True,
    )
    # What it waits for, and what became of it, in sentences.
    waiting_for = models.TextField(_("waits for"), blank=True)
    explanation = models.TextField(_("explanation"), blank=True)
    # Why it ends badly, as the engine decided in the middle: "" while all is well, else "failed" or "cancelled".
    ending = models.CharField(max_length=10, blank=True)
    plan = models.JSONField(_("plan"), default=dict)
    plan_hash = models.CharField(_("hash of the plan"), max_length=64)
    approvals_needed = models.PositiveSmallIntegerField(default=0)
    approve_until = models.DateTimeField(_("approval until"), null=True, blank=True)
    emergency_reason = models.CharField(
        _("why windows and freezes do not count"), max_length=500, blank=True
    )
    requested_by = models.ForeignKey(
        "accounts.User",
        verbose_name=_("started by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="deploys",
    )
    requested_by_name = models.CharField(_("started by"), max_length=150)
    created_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True, db_index=True)
    cancel_requested_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    cancelled_by_name = models.CharField(_("cancelled by"), max_length=150, blank=True)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    paused_by_name = models.CharField(_("paused by"), max_length=150, blank=True)
    retried_from = models.ForeignKey(
        "self",
        verbose_name=_("repeats"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="retries",
    )

    objects = DeployQuerySet.as_manager()

    class Meta:
        verbose_name = _("deploy")
        verbose_name_plural = _("deploys")
        ordering = ["-id"]
        default_permissions = ("add", "view")
        permissions = [
            ("cancel_deploy", "Can cancel deploy"),
            ("control_deploy", "Can pause, resume and retry deploy"),
            ("decide_deploy", "Can approve deploy"),
            ("emergency_deploy", "Can deploy outside windows and in freezes"),
        ]
        indexes = [
            models.Index(fields=["environment", "-id"], name="deploy_of_environment"),
            models.Index(fields=["pipeline", "-id"], name="deploy_of_pipeline"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.pipeline} → {self.environment.name}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:deploy_detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status in self.OPEN

    @property
    def state(self) -> str:
        """Colour of the status."""
        return self.STATES[self.status]

    @property
    def label(self) -> str:
        """Status in words; says so when somebody asked to stop it and it still goes on."""
        if self.is_open and self.cancel_requested_at:
            return str(_("stopping"))
        return str(self.get_status_display())

    @property
    def is_rollback(self) -> bool:
        """Whether it only switches to a release that is on the hosts already."""
        return self.kind == self.Kind.ROLLBACK

    @property
    def release(self) -> str:
        """Folder of the release it is for; "" before the artefact is built."""
        return self.artefact.release if self.artefact else ""

    @property
    def way(self) -> dict[str, Any]:
        """The pipeline's way as it was when somebody said yes to the plan."""
        return self.plan.get("way", {})

    @property
    def duration(self) -> timedelta | None:
        """How long it took, or takes so far."""
        return (
            (self.ended_at or timezone.now()) - self.started_at
            if self.started_at
            else None
        )

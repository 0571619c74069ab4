"""Runs of workflows: the definition as it was, and how each step stands."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from adminset.querysets import Scope, ScopedQuerySet
from tasks.work_models import visible_or_own
from tasks.workflow_models import Workflow


class WorkflowRunQuerySet(ScopedQuerySet):
    """Runs of workflows by who may see or stop them."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to runs of workflows within the scope, and the user's own."""
        permission = f"tasks.{action}_workflowrun"
        return visible_or_own(self, user, permission, requested_by=user)

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to runs whose workflow lies within the scope."""
        rows = Workflow.objects.all().within(scope, action).order_by().values("pk")
        return self.filter(workflow__in=rows)


class WorkflowRun(models.Model):
    """One time through a workflow. Its steps are rows; `definition` is the workflow as it was, secrets apart in `sealed`."""

    class Status(models.TextChoices):
        """How it stands."""

        RUNNING = "running", _("running")
        OK = "ok", _("ok")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    STATES: ClassVar[dict[str, str]] = {
        "running": "busy",
        "ok": "ok",
        "failed": "danger",
        "cancelled": "warning",
    }

    workflow = models.ForeignKey(
        Workflow,
        verbose_name=_("workflow"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="runs",
    )
    name = models.CharField(_("name"), max_length=100)
    version = models.PositiveIntegerField(_("version"), default=1)
    # Its "steps" by their fields, and its "edges" by the keys of their ends (workflows/definition.py).
    definition = models.JSONField(default=dict)
    # JSON: what each step keeps sealed.
    sealed = EncryptedTextField()
    variables = models.JSONField(_("variables"), default=dict, blank=True)
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=Status,
        default=Status.RUNNING,
        db_index=True,
    )
    explanation = models.TextField(_("explanation"), blank=True)
    requested_by = models.ForeignKey(
        "accounts.User",
        verbose_name=_("started by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="workflow_runs",
    )
    requested_by_name = models.CharField(_("started by"), max_length=150)
    created_at = models.DateTimeField(_("started"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancelled_by_name = models.CharField(_("cancelled by"), max_length=150, blank=True)

    objects = WorkflowRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run of a workflow")
        verbose_name_plural = _("runs of workflows")
        ordering = ["-id"]
        default_permissions = ("add", "view")
        permissions = [
            ("cancel_workflowrun", "Can cancel run of a workflow"),
            ("control_workflowrun", "Can resume run of a workflow and skip its steps"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:workflowrun_detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Whether it goes on."""
        return self.status == self.Status.RUNNING

    @property
    def state(self) -> str:
        """Colour of the status."""
        return self.STATES[self.status]

    @property
    def label(self) -> str:
        """Status in words; says so when somebody asked to stop it and it still goes on."""
        stopping = self.is_open and self.cancel_requested_at
        return str(_("stopping") if stopping else self.get_status_display())

    @property
    def duration(self) -> timedelta:
        """How long it took, or takes so far."""
        return (self.ended_at or timezone.now()) - self.created_at


class WorkflowStepRun(models.Model):
    """How one step of a run stands. Every move is a conditional UPDATE on status and attempt: nothing is started twice."""

    class Status(models.TextChoices):
        """How a step stands."""

        WAITING = "waiting", _("not started")
        READY = "ready", _("ready")
        RUNNING = "running", _("running")
        # It waits for people.
        PAUSED = "paused", _("waits for approval")
        OK = "ok", _("ok")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("skipped")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (Status.WAITING, Status.READY, Status.RUNNING, Status.PAUSED)
    STATES: ClassVar[dict[str, str]] = {
        "waiting": "idle",
        "ready": "busy",
        "running": "busy",
        "paused": "warning",
        "ok": "ok",
        "failed": "danger",
        "skipped": "idle",
        "cancelled": "warning",
    }

    workflow_run = models.ForeignKey(
        WorkflowRun, on_delete=models.CASCADE, related_name="steps"
    )
    key = models.CharField(_("step"), max_length=40)
    title = models.CharField(_("title"), max_length=100)
    does = models.CharField(_("kind"), max_length=10)
    position = models.PositiveIntegerField(default=0)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.WAITING
    )
    run = models.ForeignKey(
        "tasks.Run",
        verbose_name=_("run"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="workflow_steps",
    )
    attempt = models.PositiveIntegerField(_("attempt"), default=1)
    # Somebody decided that a failed step counts as done.
    waived = models.BooleanField(default=False)
    values = models.JSONField(_("values"), default=dict, blank=True)
    # Tries of the web-hook; until when somebody has it, or when a wait is over.
    tries = models.PositiveIntegerField(default=0)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    # What earlier attempts came to: {"attempt", "status", "run", "explanation"}.
    past = models.JSONField(default=list, blank=True)
    explanation = models.TextField(_("explanation"), blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow_run", "key"], name="step_once_in_workflow_run"
            )
        ]

    def __str__(self) -> str:
        return f"{self.workflow_run_id}/{self.key}"

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status in self.OPEN

    @property
    def state(self) -> str:
        """Colour of the status."""
        return "ok" if self.waived else self.STATES[self.status]

    @property
    def label(self) -> str:
        """Status in words."""
        return str(_("skipped by hand") if self.waived else self.get_status_display())

    @property
    def duration(self) -> timedelta | None:
        """How long it took, or takes so far."""
        return (
            (self.ended_at or timezone.now()) - self.started_at
            if self.started_at
            else None
        )

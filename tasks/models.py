"""What ran, for whom, and how it ended on each host; the other rows of the room stand beside and are named here."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.querysets import Scope, ScopedQuerySet
from tasks.approval_models import Approval, ApprovalRule, ApprovalVote
from tasks.calendar_models import Calendar
from tasks.gitsource_models import GitSource
from tasks.guard_models import GuardRule
from tasks.hook_models import InHook, InHookDelivery, InHookSeen, RepeatedRequest
from tasks.leg_models import RunLeg
from tasks.library_models import Playbook, Role, Script, StoredFile, Version
from tasks.module_models import TaskModule
from tasks.part_models import RunPart
from tasks.run_host_models import RunHost
from tasks.schedule_models import Schedule
from tasks.schedule_time_models import ScheduleNotice, ScheduleTime
from tasks.site_models import OutputPiece, SentFile, Site
from tasks.template_models import Template
from tasks.terminal_models import TerminalCommand, TerminalGuest, TerminalSession
from tasks.work_models import Targets, Work, hosts_within, visible_or_own
from tasks.workflow_models import Workflow, WorkflowEdge, WorkflowStep
from tasks.workflow_run_models import WorkflowRun, WorkflowStepRun

__all__ = [
    "Approval",
    "ApprovalRule",
    "ApprovalVote",
    "Calendar",
    "GitSource",
    "GuardRule",
    "InHook",
    "InHookDelivery",
    "InHookSeen",
    "OutputPiece",
    "Playbook",
    "RepeatedRequest",
    "Role",
    "Run",
    "RunHost",
    "RunLeg",
    "RunPart",
    "Schedule",
    "ScheduleNotice",
    "ScheduleTime",
    "Script",
    "SentFile",
    "Site",
    "StoredFile",
    "Targets",
    "TaskModule",
    "Template",
    "TerminalCommand",
    "TerminalGuest",
    "TerminalSession",
    "Version",
    "Work",
    "Workflow",
    "WorkflowEdge",
    "WorkflowRun",
    "WorkflowStep",
    "WorkflowStepRun",
]


class RunQuerySet(ScopedQuerySet):
    """Runs by who may see or stop them."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to runs within the scope, and the user's own."""
        return visible_or_own(self, user, f"tasks.{action}_run", requested_by=user)

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to runs that touch hosts in the scope (whose hosts all lie there, for more than looking)."""
        hosts = RunHost.objects.all()
        seen = hosts.filter(host__in=hosts_within(scope, action)).order_by()
        reached = Q(pk__in=seen.values("run"))
        if action != "view":
            beyond = hosts.exclude(pk__in=seen.values("pk")).order_by()
            reached &= ~Q(pk__in=beyond.values("run"))
        return self.filter(reached)

    def open(self) -> Self:
        """Narrow to runs that have not ended."""
        return self.filter(status__in=Run.OPEN)


class Run(Work):
    """One piece of work on some hosts: who asked for it, who does it now, how it ended.

    A leg (kind deploy) is one that a room above made; what it brings to the hosts stands in its RunLeg.
    """

    class Kind(models.TextChoices):
        """Kinds of runs: those of work, which anybody may ask for, and legs, which only code asks for."""

        COMMAND = Work.Kind.COMMAND.value, Work.Kind.COMMAND.label
        SCRIPT = Work.Kind.SCRIPT.value, Work.Kind.SCRIPT.label
        MODULE = Work.Kind.MODULE.value, Work.Kind.MODULE.label
        PLAYBOOK = Work.Kind.PLAYBOOK.value, Work.Kind.PLAYBOOK.label
        ROLE = Work.Kind.ROLE.value, Work.Kind.ROLE.label
        FILES = Work.Kind.FILES.value, Work.Kind.FILES.label
        TASK_MODULE = Work.Kind.TASK_MODULE.value, Work.Kind.TASK_MODULE.label
        DEPLOY = "deploy", _("delivery")

    class Status(models.TextChoices):
        """How a run stands."""

        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        # It waits for a person: between two batches, or because somebody asked.
        PAUSED = "paused", _("paused")
        OK = "ok", _("ok")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        LOST = "lost", _("lost")

    OPEN = (Status.QUEUED, Status.RUNNING, Status.PAUSED)
    STATES: ClassVar[dict[str, str]] = {
        "queued": "idle",
        "running": "busy",
        "paused": "warning",
        "ok": "ok",
        "failed": "danger",
        "cancelled": "warning",
        "lost": "danger",
    }

    kind = models.CharField(
        _("kind"), max_length=20, choices=Kind, default=Kind.COMMAND
    )
    title = models.CharField(_("title"), max_length=200)
    # Of a leg: the same key twice is the same run; what it is for ("delivery.activate"); whose it is ("delivery.deploy:17").
    leg_key = models.CharField(max_length=200, null=True, blank=True, unique=True)
    purpose = models.CharField(_("purpose"), max_length=100, blank=True, default="")
    subject = models.CharField(max_length=100, blank=True, default="", db_index=True)
    # What it ran stays readable when the item of the library is gone.
    script = models.ForeignKey(
        "tasks.Script",
        verbose_name=_("script of the library"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="runs",
    )
    playbook = models.ForeignKey(
        "tasks.Playbook",
        verbose_name=_("playbook"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="runs",
    )
    role = models.ForeignKey(
        "tasks.Role",
        verbose_name=_("role"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="runs",
    )
    task_module = models.ForeignKey(
        "tasks.TaskModule",
        verbose_name=_("task module"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="runs",
    )
    # The version of the script, playbook or role that was frozen into it.
    version = models.ForeignKey(
        "tasks.Version", null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    # What runs, as it was when it was asked for: the playbook's text, a role's files as JSON.
    playbook_text = models.TextField(_("text of the playbook"), blank=True)
    # The versions of the library's roles that it needs: {name: id of the Version}.
    role_versions = models.JSONField(default=dict, blank=True)
    # What must not run at the same time has the same.
    same_key = models.CharField(max_length=64, blank=True, db_index=True)
    # The batch that may run now, of how many; the sizes are frozen when it is asked for.
    batch = models.PositiveIntegerField(_("batch"), default=0)
    batch_count = models.PositiveIntegerField(_("batches"), default=1)
    batch_started_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(_("paused"), null=True, blank=True)
    paused_by_name = models.CharField(_("paused by"), max_length=150, blank=True)
    # Until when it must not begin (windows, jitter); and why it has not begun, in a sentence.
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.QUEUED, db_index=True
    )
    explanation = models.TextField(_("explanation"), blank=True)
    # Sentences that its end will say beside the number of hosts.
    notes = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        "accounts.User",
        verbose_name=_("started by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="runs",
    )
    requested_by_name = models.CharField(_("started by"), max_length=150)
    schedule = models.ForeignKey(
        "tasks.Schedule",
        verbose_name=_("schedule"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="runs",
    )
    planned_at = models.DateTimeField(_("planned for"), null=True, blank=True)
    created_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(_("cancelled"), null=True, blank=True)
    cancelled_by_name = models.CharField(_("cancelled by"), max_length=150, blank=True)
    host_count = models.PositiveIntegerField(_("hosts"), default=0)
    done_count = models.PositiveIntegerField(_("hosts done"), default=0)
    ok_count = models.PositiveIntegerField(_("hosts ok"), default=0)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-id"]
        default_permissions = ("add", "view")
        permissions = [
            ("cancel_run", "Can cancel run"),
            ("control_run", "Can pause and resume run"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "planned_at"], name="run_once_per_planned_time"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:run_detail", args=[self.pk])

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
        stopping = self.status == self.Status.RUNNING and self.cancel_requested_at
        return str(_("stopping") if stopping else self.get_status_display())

    @property
    def duration(self) -> timedelta | None:
        """How long it took, or takes so far."""
        return (
            (self.ended_at or timezone.now()) - self.started_at
            if self.started_at
            else None
        )

    @property
    def is_leg(self) -> bool:
        """Whether a room above asked for it: nobody repeats or edits it by hand."""
        return self.kind == self.Kind.DEPLOY

    @property
    def what(self) -> str:
        """The work in one line; a playbook that is gone is still named by the title."""
        return self.title if self.is_leg else super().what or self.title

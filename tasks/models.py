"""What ran, for whom, and how it ended on each host; the other rows of the room stand beside and are named here."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.querysets import Scope, ScopedQuerySet
from tasks.schedule_models import Schedule
from tasks.work_models import Playbook, Work, hosts_within, visible_or_own

__all__ = ["Playbook", "Run", "RunHost", "Schedule", "Work"]


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
    """One piece of work on some hosts: who asked for it, who does it now, how it ended."""

    class Status(models.TextChoices):
        """How a run stands."""

        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        OK = "ok", _("ok")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        LOST = "lost", _("lost")

    OPEN = (Status.QUEUED, Status.RUNNING)
    STATES: ClassVar[dict[str, str]] = {
        "queued": "idle",
        "running": "busy",
        "ok": "ok",
        "failed": "danger",
        "cancelled": "warning",
        "lost": "danger",
    }

    title = models.CharField(_("title"), max_length=200)
    playbook = models.ForeignKey(
        "tasks.Playbook",
        verbose_name=_("playbook"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="runs",
    )
    playbook_text = models.TextField(_("text of the playbook"), blank=True)
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.QUEUED, db_index=True
    )
    explanation = models.TextField(_("explanation"), blank=True)
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
    # The claim: who works on it, until when this counts, and the number that every write of theirs must name.
    worker = models.CharField(_("worker"), max_length=150, blank=True)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(default=timezone.now)

    objects = RunQuerySet.as_manager()

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ["-id"]
        default_permissions = ("add", "view")
        permissions = [("cancel_run", "Can cancel run")]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "planned_at"], name="run_once_per_planned_time"
            )
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
    def what(self) -> str:
        """The work in one line; a playbook that is gone is still named by the title."""
        return super().what or self.title


class RunHostQuerySet(ScopedQuerySet):
    """Hosts of runs, seen by who may see runs on these hosts."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to hosts in the scope, and all hosts of the user's own runs."""
        permission = f"tasks.{action}_run"
        return visible_or_own(self, user, permission, run__requested_by=user)

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to hosts in the scope."""
        return self.filter(host__in=hosts_within(scope, action))


class RunHost(models.Model):
    """A run on one host: name and address as they were, and how it ended there."""

    class Status(models.TextChoices):
        """How a run stands on a host."""

        NOT_STARTED = "not_started", _("not started")
        RUNNING = "running", _("running")
        OK = "ok", _("ok")
        FAILED = "failed", _("failed")
        UNREACHABLE = "unreachable", _("unreachable")
        TIMED_OUT = "timed_out", _("timed out")
        CANCELLED = "cancelled", _("cancelled")
        UNKNOWN = "unknown", _("unknown")

    # What the host's groups are called when the run reaches it: the work asks for them (services/jobs.py).
    group_names: Sequence[str] = ()

    OPEN = (Status.NOT_STARTED, Status.RUNNING)
    STATES: ClassVar[dict[str, str]] = {
        "not_started": "idle",
        "running": "busy",
        "ok": "ok",
        "failed": "danger",
        "unreachable": "danger",
        "timed_out": "danger",
        "cancelled": "warning",
        "unknown": "warning",
    }

    run = models.ForeignKey(
        "tasks.Run",
        verbose_name=_("run"),
        on_delete=models.CASCADE,
        related_name="hosts",
    )
    host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="run_hosts",
    )
    host_name = models.CharField(_("host name"), max_length=253)
    address = models.CharField(_("address"), max_length=100, blank=True)
    status = models.CharField(
        _("status"), max_length=20, choices=Status, default=Status.NOT_STARTED
    )
    exit_code = models.IntegerField(_("exit code"), null=True, blank=True)
    explanation = models.TextField(_("explanation"), blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    output_bytes = models.BigIntegerField(_("output"), default=0)

    objects = RunHostQuerySet.as_manager()

    class Meta:
        verbose_name = _("host of a run")
        verbose_name_plural = _("hosts of a run")
        ordering = ["host_name", "id"]
        default_permissions = ()
        indexes = [models.Index(fields=["host", "-id"], name="runhost_latest")]
        constraints = [
            models.UniqueConstraint(fields=["run", "host"], name="host_once_in_run")
        ]

    def __str__(self) -> str:
        return self.host_name

    @property
    def state(self) -> str:
        """Colour of the status."""
        return self.STATES[self.status]

    @property
    def duration(self) -> timedelta | None:
        """How long it took there."""
        return (
            (self.ended_at or timezone.now()) - self.started_at
            if self.started_at
            else None
        )

"""How a run stands and ended on each of its hosts."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.querysets import Scope, ScopedQuerySet
from tasks.work_models import hosts_within, visible_or_own


class RunHostQuerySet(ScopedQuerySet):
    """Hosts of runs, seen by who may see runs on these hosts."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to hosts in the scope, and all hosts of the user's own runs."""
        permission = f"tasks.{action}_run"
        return visible_or_own(self, user, permission, run__requested_by=user)

    def meant(self) -> Self:
        """Narrow to hosts that the run is for: those outside its limit are shown, and count nowhere."""
        return self.exclude(limit=RunHost.OUTSIDE)

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
        SKIPPED = "skipped", _("skipped")
        UNKNOWN = "unknown", _("unknown")

    # `limit` of a host that was asked for and left out, because the run is limited to others.
    OUTSIDE = "outside"
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
        "skipped": "idle",
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
    # 32 bits, with or without a sign: SSH and Windows use all of them.
    exit_code = models.BigIntegerField(_("exit code"), null=True, blank=True)
    explanation = models.TextField(_("explanation"), blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    part = models.ForeignKey(
        "tasks.RunPart", null=True, on_delete=models.CASCADE, related_name="hosts"
    )
    # Which batch it belongs to, counted from 0.
    batch = models.PositiveIntegerField(_("batch"), default=0)
    # Which time-out it was: connect, idle, host, batch, run; or OUTSIDE.
    limit = models.CharField(_("time-out"), max_length=10, blank=True)
    # What came from the host, what of it is kept, and the SHA-256 of what is kept.
    output_bytes = models.BigIntegerField(_("output"), default=0)
    stored_bytes = models.BigIntegerField(_("kept"), default=0)
    output_hash = models.CharField(max_length=64, blank=True)
    # Of a leg: {"said": {key: value}, "sent": bytes, "size": bytes, "refused": lines}; hostile text, see tasks/legs/reading.py.
    report = models.JSONField(default=dict, blank=True)

    objects = RunHostQuerySet.as_manager()

    class Meta:
        verbose_name = _("host of a run")
        verbose_name_plural = _("hosts of a run")
        ordering = ["host_name", "id"]
        default_permissions = ()
        indexes = [
            models.Index(fields=["host", "-id"], name="runhost_latest"),
            models.Index(fields=["run", "batch", "status"], name="runhost_batch"),
        ]
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
        """How long it took there; None where it waits to be begun, also anew."""
        if self.status == self.Status.NOT_STARTED:
            return None
        return (
            (self.ended_at or timezone.now()) - self.started_at
            if self.started_at
            else None
        )

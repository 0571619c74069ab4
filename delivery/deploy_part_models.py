"""Parts of a deploy: its steps, and how far each of its hosts came."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DeployStep(models.Model):
    """One step of a deploy: a leg on hosts, work at the portal, a wait. What ended stays; an attempt more is counted."""

    class Kind(models.TextChoices):
        """What a step does."""

        FETCH = "fetch", _("fetch")
        BUILD = "build", _("build")
        PACK = "pack", _("pack")
        READ = "read", _("read what is live")
        CHECK = "check", _("checks before")
        CLAIM = "claim", _("lock on the hosts")
        DISTRIBUTE = "distribute", _("distribute")
        COMMAND = "command", _("command")
        CONFIRM = "confirm", _("confirm")
        ACTIVATE = "activate", _("switch")
        AFTER = "after", _("command at the portal")
        WATCH = "watch", _("watch")
        FINISH = "finish", _("finish")
        LOOK = "look", _("look what was switched")
        SWITCH_BACK = "switch_back", _("take back")
        UNLOCK = "unlock", _("unlock")

    class Status(models.TextChoices):
        """How a step stands."""

        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        OK = "ok", _("ok")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("skipped")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (Status.WAITING, Status.RUNNING)
    LOCAL = (Kind.FETCH, Kind.BUILD, Kind.PACK, Kind.AFTER)
    STATES: ClassVar[dict[str, str]] = {
        "waiting": "idle",
        "running": "busy",
        "ok": "ok",
        "failed": "danger",
        "skipped": "idle",
        "cancelled": "warning",
    }

    deploy = models.ForeignKey(
        "delivery.Deploy", on_delete=models.CASCADE, related_name="steps"
    )
    position = models.PositiveIntegerField(_("position"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    title = models.CharField(_("title"), max_length=100, blank=True)
    # Which batch of hosts it is for, counted from 0; none: all of them.
    batch = models.PositiveIntegerField(_("batch"), null=True, blank=True)
    # The command and time-out of a stage: {"command", "timeout"}.
    options = models.JSONField(default=dict, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.WAITING
    )
    run = models.ForeignKey(
        "tasks.Run",
        verbose_name=_("run"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="deploy_steps",
    )
    build = models.ForeignKey(
        "delivery.Build",
        verbose_name=_("build"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="deploy_steps",
    )
    attempt = models.PositiveIntegerField(_("attempt"), default=1)
    # Of work at the portal: who writes, and until when a sign of life counts.
    fence = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=150, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    losses = models.PositiveIntegerField(default=0)
    # Until when a watch lasts.
    until = models.DateTimeField(null=True, blank=True)
    # What the step found and later ones need: packs, an artefact, checks.
    found = models.JSONField(default=dict, blank=True)
    explanation = models.TextField(_("explanation"), blank=True)
    done = models.BigIntegerField(_("done"), default=0)
    total = models.BigIntegerField(_("of"), default=0)
    # Earlier attempts: {"attempt", "status", "run", "explanation"}
    past = models.JSONField(default=list, blank=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["deploy", "position"], name="deploy_step_position"
            )
        ]

    def __str__(self) -> str:
        return f"{self.deploy_id}/{self.position} {self.kind}"

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status in self.OPEN

    @property
    def state(self) -> str:
        """Colour of the status."""
        return self.STATES[self.status]

    @property
    def words(self) -> str:
        """Its title with the batch, counted from 1."""
        name = self.title or self.get_kind_display()
        if self.batch is None:
            return str(name)
        words = _("%(name)s, batch %(batch)s")
        return words % {"name": name, "batch": self.batch + 1}

    @property
    def duration(self) -> timedelta | None:
        """How long it took, or takes so far."""
        return (
            (self.ended_at or timezone.now()) - self.started_at
            if self.started_at
            else None
        )


class DeployHost(models.Model):
    """One host of a deploy: what it had before, and how far it came."""

    class Status(models.TextChoices):
        """How far a host came."""

        WAITING = "waiting", _("waiting")
        RECEIVED = "received", _("received")
        # The link points to the new release; whether it is well is not known yet.
        SWITCHED = "switched", _("switched")
        OK = "ok", _("ok")
        FAILED = "failed", _("failed")
        UNREACHABLE = "unreachable", _("unreachable")
        ROLLED_BACK = "rolled_back", _("taken back")
        # It has what it had.
        LEFT = "left", _("left as it was")

    STATES: ClassVar[dict[str, str]] = {
        "waiting": "idle",
        "received": "busy",
        "switched": "busy",
        "ok": "ok",
        "failed": "danger",
        "unreachable": "danger",
        "rolled_back": "warning",
        "left": "idle",
    }

    deploy = models.ForeignKey(
        "delivery.Deploy", on_delete=models.CASCADE, related_name="hosts"
    )
    host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="deploy_hosts",
    )
    host_name = models.CharField(_("host name"), max_length=253)
    batch = models.PositiveIntegerField(_("batch"), default=0)
    status = models.CharField(
        _("status"), max_length=12, choices=Status, default=Status.WAITING
    )
    # What was live before this deploy, as the host said; "" where nothing was, or where it has not said (`has_said`).
    from_release = models.CharField(_("release before"), max_length=200, blank=True)
    to_release = models.CharField(_("release"), max_length=200, blank=True)
    # What is live now, as the host said last.
    now_release = models.CharField(_("release now"), max_length=200, blank=True)
    has_said = models.BooleanField(default=False)
    # This deploy switched its link, or took it out of the balancer, and did not undo that: true also when that is only possible.
    touched = models.BooleanField(default=False)
    # It is out of the balancer, as the host said last.
    drained = models.BooleanField(_("out of the balancer"), default=False)
    # [{"id", "ok", "title", "why", "mend"}] of the checks before.
    checks = models.JSONField(default=list, blank=True)
    explanation = models.TextField(_("explanation"), blank=True)
    sent_bytes = models.BigIntegerField(_("sent"), default=0)
    total_bytes = models.BigIntegerField(_("to send"), default=0)

    class Meta:
        verbose_name = _("host of a deploy")
        verbose_name_plural = _("hosts of a deploy")
        default_permissions = ()
        ordering = ["batch", "host_name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["deploy", "host"], name="host_once_in_deploy"
            )
        ]

    def __str__(self) -> str:
        return self.host_name

    @property
    def state(self) -> str:
        """Colour of the status."""
        return self.STATES[self.status]

"""Configuration on hosts: pushes of approved files, how each ended on each host, and what was read back since."""

from typing import Any, ClassVar, Self

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from adminset.measures import filesize_iec
from adminset.models import Timestamped
from adminset.querysets import ScopedQuerySet
from appconf.models import Environment


def _environments(user: Any) -> models.QuerySet:
    """Give the keys of the environments that a user may see: who sees one sees what was brought there."""
    return Environment.objects.visible_to(user).order_by().values("pk")


class ConfigPushQuerySet(ScopedQuerySet):
    """Pushes, seen by who may see their environments."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to pushes to environments that the user may see."""
        if not user.has_perm(f"delivery.{action}_configpush"):
            return self.none()
        return self.filter(environment__in=_environments(user))


class ConfigPush(Timestamped):
    """Some files of an environment on their way to its hosts, or (`kind` read) looked at there."""

    class Kind(models.TextChoices):
        """What is done on the hosts."""

        PUSH = "push", _("push")
        READ = "read", _("reading back")

    class Status(models.TextChoices):
        """How it stands as a whole."""

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

    environment = models.ForeignKey(
        "appconf.Environment",
        verbose_name=_("environment"),
        on_delete=models.CASCADE,
        related_name="config_pushes",
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.PUSH)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.RUNNING
    )
    # [{"file": id, "version": id, "number": 3, "path": "/etc/app.conf"}], as they were when it was asked for.
    files = models.JSONField(_("files"), default=list, blank=True)
    # What the person said yes to.
    plan_hash = models.CharField(max_length=64, blank=True)
    reason = models.CharField(_("reason"), max_length=250, blank=True)
    # Why it began although windows or freezes said no.
    emergency_reason = models.CharField(_("emergency"), max_length=500, blank=True)
    # Keys of the hosts that were chosen; empty: all of the environment.
    host_ids = models.JSONField(default=list, blank=True)
    requested_by = models.ForeignKey(
        "accounts.User",
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    requested_by_name = models.CharField(_("who"), max_length=150, blank=True)
    # The token that spoke: what it may not, the worker who fills in the texts may not either.
    token = models.ForeignKey(
        "accounts.ApiToken",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    by_token = models.BooleanField(default=False)
    # What keeps deploys away while files are brought; readings hold none.
    lock = models.ForeignKey(
        "delivery.DeployLock",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    run = models.ForeignKey(
        "tasks.Run",
        verbose_name=_("run"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="config_pushes",
    )
    explanation = models.TextField(_("explanation"), blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    objects = ConfigPushQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("push of configuration")
        verbose_name_plural = _("pushes of configuration")
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["environment", "-id"], name="configpush_latest"),
            models.Index(fields=["status"], name="configpush_status"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}: {self.environment}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:configpush_detail", args=[self.pk])

    @property
    def state(self) -> str:
        """Colour of the status."""
        return self.STATES[self.status]

    @property
    def badge(self) -> dict[str, str]:
        """State and word beside its name."""
        return {"state": self.state, "label": self.get_status_display()}


class ConfigPushHost(models.Model):
    """How a push ended on one host; of each file a word."""

    class Status(models.TextChoices):
        """How it stands there."""

        WAITING = "waiting", _("waiting")
        OK = "ok", _("ok")
        UNCHANGED = "unchanged", _("unchanged")
        FAILED = "failed", _("failed")
        UNREACHABLE = "unreachable", _("unreachable")
        CANCELLED = "cancelled", _("cancelled")
        UNKNOWN = "unknown", _("unknown")

    STATES: ClassVar[dict[str, str]] = {
        "waiting": "busy",
        "ok": "ok",
        "unchanged": "idle",
        "failed": "danger",
        "unreachable": "danger",
        "cancelled": "warning",
        "unknown": "warning",
    }

    push = models.ForeignKey(ConfigPush, on_delete=models.CASCADE, related_name="hosts")
    host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    host_name = models.CharField(_("host name"), max_length=253)
    status = models.CharField(
        _("status"), max_length=12, choices=Status, default=Status.WAITING
    )
    # {"<id of the file>": {"sha256": of what belongs there, "word": "placed"}}
    files = models.JSONField(_("files"), default=dict, blank=True)
    # Sealed JSON {"<id of the file>": [the secrets that stand in it]}, while the push goes on.
    secrets = EncryptedTextField()
    explanation = models.TextField(_("explanation"), blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("host of a push")
        verbose_name_plural = _("hosts of a push")
        ordering = ["host_name", "id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["push", "host"], name="host_once_in_push")
        ]

    def __str__(self) -> str:
        return self.host_name

    @property
    def state(self) -> str:
        """Colour of the status."""
        return self.STATES[self.status]


class ConfigDriftQuerySet(ScopedQuerySet):
    """What was found on hosts, seen by who may see its environment and the host."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to files of environments that the user may see."""
        if not user.has_perm(f"delivery.{action}_configdrift"):
            return self.none()
        return self.filter(environment__in=_environments(user))


class ConfigDrift(models.Model):
    """One file on one host: what belongs there, and what stood there when it was read last."""

    class State(models.TextChoices):
        """How the two compare."""

        SAME = "same", _("as it should be")
        DRIFTED = "drifted", _("differs")
        MISSING = "missing", _("is missing")
        UNREADABLE = "unreadable", _("cannot be read")
        UNKNOWN = "unknown", _("not known")

    STATES: ClassVar[dict[str, str]] = {
        "same": "ok",
        "drifted": "warning",
        "missing": "danger",
        "unreadable": "danger",
        "unknown": "idle",
    }

    environment = models.ForeignKey(
        "appconf.Environment",
        verbose_name=_("environment"),
        on_delete=models.CASCADE,
        related_name="config_drifts",
    )
    file = models.ForeignKey(
        "appconf.ConfigFile",
        verbose_name=_("file"),
        on_delete=models.CASCADE,
        related_name="drifts",
    )
    host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        on_delete=models.CASCADE,
        related_name="config_drifts",
    )
    version = models.ForeignKey(
        "appconf.ConfigVersion",
        verbose_name=_("version"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    # Where a push put it last: nothing else is read back in full.
    path = models.CharField(_("path"), max_length=1010, blank=True)
    # Sealed JSON list of the secrets that a push brought there: they are masked though they were changed since.
    secrets = EncryptedTextField()
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.UNKNOWN
    )
    expected_sha256 = models.CharField(max_length=64, blank=True)
    found_sha256 = models.CharField(max_length=64, blank=True)
    # Sealed: what stands in a file of configuration may hold secrets; the page takes out those that are known.
    found = EncryptedTextField(_("found"))
    found_mode = models.CharField(_("mode"), max_length=5, blank=True)
    found_owner = models.CharField(_("owner"), max_length=100, blank=True)
    found_size = models.PositiveBigIntegerField(_("size"), default=0)
    # When the file was written last, as the host says; who did it no file system tells.
    found_changed_at = models.DateTimeField(_("changed there"), null=True, blank=True)
    explanation = models.TextField(_("explanation"), blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    # Since when it stands so.
    since = models.DateTimeField(_("since"), null=True, blank=True)

    objects = ConfigDriftQuerySet.as_manager()

    class Meta:
        verbose_name = _("configuration read back")
        verbose_name_plural = _("configuration read back")
        ordering = ["file__path", "host__hostname", "id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "file", "host"], name="drift_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.file}: {self.host}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:configdrift_detail", args=[self.pk])

    @property
    def size_words(self) -> str:
        """How long the file there is, with a unit; "" where that is not known, or there is none."""
        read = self.state in (self.State.SAME, self.State.DRIFTED)
        return filesize_iec(self.found_size) if read else ""

    size_words.fget.short_description = _("size")  # type: ignore[attr-defined]

    @property
    def badge(self) -> dict[str, str]:
        """State and word."""
        return {"state": self.STATES[self.state], "label": self.get_state_display()}

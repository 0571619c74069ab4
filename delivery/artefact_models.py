"""What is built once and delivered many times: artefacts, and the builds that made them."""

from typing import Any, ClassVar, Self

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from adminset.measures import filesize_iec
from adminset.querysets import Scope, ScopedQuerySet


class OfProjectsQuerySet(ScopedQuerySet):
    """Rows that belong to a project: who reaches the project reaches them."""

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to rows of the projects in the scope."""
        projects = self.model._meta.get_field("project").related_model
        reached = projects._default_manager.all().within(scope, action)  # type: ignore[union-attr]
        return self.filter(project__in=reached.order_by().values("pk"))


class Artefact(models.Model):
    """What one build made: files under one SHA-256, numbered per project, the same through all environments.

    The bytes lie in the store (delivery/artefacts/store.py). The row outlives them: history and figures read it.
    """

    project = models.ForeignKey(
        "appconf.Project",
        verbose_name=_("project"),
        on_delete=models.PROTECT,
        related_name="artefacts",
    )
    number = models.PositiveIntegerField(_("number"))
    # Of the canonical manifest, which holds the SHA-256 of each file.
    sha256 = models.CharField("SHA-256", max_length=64, db_index=True)
    size = models.BigIntegerField(_("size"), default=0)
    file_count = models.PositiveIntegerField(_("files"), default=0)
    commit = models.CharField(_("commit"), max_length=64, blank=True, db_index=True)
    branch = models.CharField(
        pgettext_lazy("git", "branch"), max_length=200, blank=True
    )
    tag = models.CharField(_("tag"), max_length=200, blank=True)
    subject = models.CharField(_("what the commit says"), max_length=300, blank=True)
    author = models.CharField(_("author of the commit"), max_length=200, blank=True)
    committed_at = models.DateTimeField(_("committed"), null=True, blank=True)
    # Where it came from, as it was then: address, or the name of an uploaded file.
    source_words = models.CharField(_("source"), max_length=500, blank=True)
    built_by = models.ForeignKey(
        "accounts.User",
        verbose_name=_("built by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    built_by_name = models.CharField(_("built by"), max_length=150, blank=True)
    built_at = models.DateTimeField(_("built"), default=timezone.now, db_index=True)
    kept = models.BooleanField(
        _("kept"), default=False, help_text=_("Its files are never cleared away.")
    )
    bad = models.BooleanField(_("bad"), default=False)
    bad_by = models.ForeignKey(
        "accounts.User",
        verbose_name=_("marked by"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    bad_reason = models.CharField(_("why it is bad"), max_length=500, blank=True)
    bad_at = models.DateTimeField(_("marked"), null=True, blank=True, editable=False)
    # When its files were cleared away; until then it can be delivered.
    cleared_at = models.DateTimeField(_("cleared away"), null=True, editable=False)

    objects = OfProjectsQuerySet.as_manager()

    class Meta:
        verbose_name = _("artefact")
        verbose_name_plural = _("artefacts")
        ordering = ["-built_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "number"], name="artefact_number_of_project"
            )
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.release}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:artefact_detail", args=[self.pk])

    @property
    def size_words(self) -> str:
        """Its size with a unit."""
        return filesize_iec(self.size)

    size_words.fget.short_description = _("size")  # type: ignore[attr-defined]

    @property
    def release(self) -> str:
        """What its folder on a host is called: `41-9f3c02aa`."""
        return f"{self.number}-{self.sha256[:8]}"

    release.fget.short_description = _("release")  # type: ignore[attr-defined]

    @property
    def is_stored(self) -> bool:
        """Whether its files are still there to be delivered."""
        return self.cleared_at is None

    @property
    def badge(self) -> dict[str, Any] | None:
        """State and word beside its name."""
        if self.bad:
            return {"state": "danger", "label": _("bad")}
        if not self.is_stored:
            return {"state": "idle", "label": _("cleared away")}
        return {"state": "ok", "label": _("kept")} if self.kept else None


class Build(models.Model):
    """One making of an artefact: from a source, by commands, with an output. Its lease is that of the deploy's step."""

    class Status(models.TextChoices):
        """How it stands."""

        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        OK = "ok", _("ended well")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    OPEN = (Status.WAITING, Status.RUNNING)
    STATES: ClassVar[dict[str, str]] = {
        "waiting": "idle",
        "running": "busy",
        "ok": "ok",
        "failed": "danger",
        "cancelled": "warning",
    }

    project = models.ForeignKey(
        "appconf.Project",
        verbose_name=_("project"),
        on_delete=models.CASCADE,
        related_name="builds",
    )
    pipeline = models.ForeignKey(
        "delivery.Pipeline",
        verbose_name=_("pipeline"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="builds",
    )
    deploy = models.ForeignKey(
        "delivery.Deploy",
        verbose_name=_("deploy"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="builds",
    )
    artefact = models.ForeignKey(
        Artefact,
        verbose_name=_("artefact"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="builds",
    )
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.WAITING
    )
    # Branch, tag, commit or revision that was asked for, and what it was then.
    ref_kind = models.CharField(_("kind of reference"), max_length=20, blank=True)
    ref = models.CharField(_("reference"), max_length=200, blank=True)
    commit = models.CharField(_("commit"), max_length=64, blank=True)
    # The command that runs or failed, and the name of its stage.
    stage = models.CharField(_("stage"), max_length=100, blank=True)
    command = models.TextField(_("command"), blank=True)
    # Counts up each time a worker takes it: one that was lost finds its number gone.
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    exit_code = models.IntegerField(_("exit code"), null=True, blank=True)
    explanation = models.CharField(_("explanation"), max_length=1000, blank=True)
    log_size = models.BigIntegerField(_("size of the output"), default=0)
    requested_by = models.ForeignKey(
        "accounts.User",
        verbose_name=_("asked for by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, db_index=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    cancel_requested_at = models.DateTimeField(_("cancelled"), null=True, blank=True)

    objects = OfProjectsQuerySet.as_manager()

    class Meta:
        verbose_name = _("build")
        verbose_name_plural = _("builds")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return _("build %(number)s of %(project)s") % {
            "number": self.pk,
            "project": self.project,
        }

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:build_detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Whether it waits or runs."""
        return self.status in self.OPEN

    @property
    def badge(self) -> dict[str, Any]:
        """State and word beside its name."""
        return {"state": self.STATES[self.status], "label": self.get_status_display()}

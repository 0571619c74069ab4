"""Configuration files of applications as templates, and all their versions."""

from typing import ClassVar

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.querysets import ScopedQuerySet
from appconf.base_models import Linked
from appconf.checks import check_account, check_file_path, check_mode

COMMAND_CHARACTERS = 2000
A_WEEK = 7 * 24 * 60


class ConfigFile(Linked):
    """A file of an application's configuration: where it lies on hosts and how it gets there. Its text lies in versions."""

    project = models.ForeignKey(
        "appconf.Project",
        verbose_name=_("project"),
        on_delete=models.CASCADE,
        related_name="config_files",
    )
    environment = models.ForeignKey(
        "appconf.Environment",
        verbose_name=_("environment"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="config_files",
        help_text=_("Empty: all environments that have none of their own."),
    )
    name = models.CharField(_("name"), max_length=100)
    path = models.CharField(
        _("path"),
        max_length=500,
        validators=[check_file_path],
        help_text=_("Absolute, or below the configuration path."),
    )
    owner = models.CharField(
        _("owner"), max_length=32, blank=True, validators=[check_account]
    )
    group = models.CharField(
        _("group"), max_length=32, blank=True, validators=[check_account]
    )
    mode = models.CharField(
        _("mode"), max_length=4, default="0644", validators=[check_mode]
    )
    backup = models.BooleanField(
        _("keep the former file"),
        default=True,
        help_text=_("A copy stays beside the file on the host."),
    )
    validate_command = models.CharField(
        _("validate command"),
        max_length=COMMAND_CHARACTERS,
        blank=True,
        help_text=_("{} is the new file, such as nginx -t -c {}. A bad exit stops."),
    )
    reload_command = models.CharField(
        _("reload command"),
        max_length=COMMAND_CHARACTERS,
        blank=True,
        help_text=_("Runs where the file changed."),
    )
    approval = models.BooleanField(
        _("versions need approval"),
        default=False,
        help_text=_("A version goes nowhere until somebody else approves it."),
    )
    pinned = models.ForeignKey(
        "appconf.ConfigVersion",
        verbose_name=_("version in force"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.RESTRICT,
        related_name="+",
    )
    drift_minutes = models.PositiveIntegerField(
        _("compare with hosts every (minutes)"),
        default=60,
        validators=[MaxValueValidator(A_WEEK)],
        help_text=_("0: never."),
    )

    class Meta:
        verbose_name = _("configuration file")
        verbose_name_plural = _("configuration files")
        ordering = ["project__name", "path", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "environment", "path"],
                condition=Q(environment__isnull=False),
                name="config_path_in_environment",
                violation_error_message=_("This path has a file already."),
            ),
            models.UniqueConstraint(
                fields=["project", "path"],
                condition=Q(environment=None),
                name="config_path_in_project",
                violation_error_message=_("This path has a file already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project} / {self.name}"

    @property
    def full_path(self) -> str:
        """Absolute path where it is known for all environments; else as it was entered."""
        known = self.environment.config_folder if self.environment else ""
        folder = known or self.project.config_path
        if self.path.startswith("/") or not folder:
            return self.path
        return f"{folder}/{self.path}"


class ConfigVersion(models.Model):
    """The text of a configuration file as somebody wrote it at one time. Versions are added and never changed."""

    class Status(models.TextChoices):
        """How it stands."""

        DRAFT = "draft", _("draft")
        WAITING = "waiting", _("waits for approval")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")

    STATES: ClassVar[dict[str, str]] = {
        Status.DRAFT: "idle",
        Status.WAITING: "warning",
        Status.APPROVED: "ok",
        Status.REFUSED: "danger",
    }

    file = models.ForeignKey(
        "appconf.ConfigFile",
        verbose_name=_("configuration file"),
        on_delete=models.CASCADE,
        related_name="versions",
    )
    number = models.PositiveIntegerField(_("number"))
    text = models.TextField(_("text"), blank=True)
    sha256 = models.CharField("SHA-256", max_length=64)
    author = models.ForeignKey(
        "accounts.User",
        verbose_name=_("author"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="config_versions",
    )
    author_name = models.CharField(_("author"), max_length=150, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.DRAFT
    )
    decided_by = models.ForeignKey(
        "accounts.User",
        verbose_name=_("decided by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    decided_name = models.CharField(_("decided by"), max_length=150, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_reason = models.CharField(_("why"), max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = _("version of a configuration file")
        verbose_name_plural = _("versions of configuration files")
        ordering = ["-number", "-id"]
        permissions = [
            ("approve_configversion", "Can approve version of a configuration file")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["file", "number"], name="config_version_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.file} v{self.number}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("appconf:configversion_detail", args=[self.pk])

    @property
    def state(self) -> str:
        """Colour of its status."""
        return self.STATES[self.Status(self.status)]

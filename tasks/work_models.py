"""The fields of any work: what runs, with what, how it is kept in hand, and on which hosts."""

from typing import Any, ClassVar, TypeVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from adminset.querysets import Scope, ScopedQuerySet, scope_of
from cmdb.models import Host

MODULE_NAME = r"\A[a-z0-9_]+(\.[a-z0-9_]+)*\Z"


def hosts_within(scope: Scope, action: str) -> models.QuerySet:
    """Give the ids of the hosts that a scope of runs or schedules reaches."""
    return Host.objects.all().within(scope, action).order_by().values("pk")


Rows = TypeVar("Rows", bound=ScopedQuerySet)


def visible_or_own(rows: Rows, user: Any, permission: str, /, **owner: Any) -> Rows:
    """Narrow to rows where the permission holds, and the user's own.

    A token that is limited to some objects does not reach others because they are its user's.
    """
    scope = scope_of(user, permission)
    if scope.everything or not scope:
        return rows.all() if scope else rows.none()
    reached = rows.model._default_manager.all().within(scope, _action(permission))
    own = Q(pk__in=()) if scope.limit else Q(**owner)
    return rows.filter(own | Q(pk__in=reached.order_by().values("pk")))


def _action(permission: str) -> str:
    return permission.partition(".")[2].partition("_")[0]


class Work(models.Model):
    """What to run: shared by a run, a schedule, a template and a step of a workflow.

    `command` is one line or more for /bin/sh; a script is `script` of the library or, made up on the spot, `script_text` in a
    `language`. A task module (`task_module` with `answers`) becomes a command, a script or a playbook when a run is asked for.
    Secret answers and variables stand encrypted in `sealed`.
    """

    class Kind(models.TextChoices):
        """Kinds of work."""

        COMMAND = "command", _("command")
        SCRIPT = "script", _("script")
        MODULE = "module", _("Ansible module")
        PLAYBOOK = "playbook", _("playbook")
        ROLE = "role", _("role")
        FILES = "files", _("files")
        TASK_MODULE = "task_module", _("task module")

    class Language(models.TextChoices):
        """Languages of scripts."""

        SHELL = "sh", _("shell")
        PYTHON = "python", "Python"
        POWERSHELL = "powershell", "PowerShell"

    class PauseAfter(models.TextChoices):
        """When a run waits for a person between two batches."""

        NEVER = "never", _("never")
        FAILURE = "failure", _("when a host did not end well")
        ALWAYS = "always", _("after each batch")

    class Together(models.TextChoices):
        """What becomes of a run while the same still runs."""

        REFUSE = "refuse", _("refuse it")
        QUEUE = "queue", _("let it wait")
        ALLOW = "allow", _("run both")

    kind = models.CharField(
        _("kind"), max_length=20, choices=Kind, default=Kind.COMMAND
    )
    command = models.TextField(
        _("command"),
        blank=True,
        max_length=65536,
        help_text=_("Runs in /bin/sh on each host."),
    )
    module = models.CharField(
        _("module"),
        max_length=150,
        blank=True,
        validators=[
            RegexValidator(
                MODULE_NAME, _("A module's name: ping, or ansible.builtin.service.")
            )
        ],
        help_text=_("Such as ansible.builtin.ping, service or copy."),
    )
    arguments = models.TextField(
        _("arguments"),
        blank=True,
        max_length=65536,
        help_text=_("key=value pairs, as after `ansible -a`."),
    )
    language = models.CharField(
        _("language"), max_length=20, choices=Language, default=Language.SHELL
    )
    script_text = models.TextField(_("script"), blank=True, max_length=262144)
    script_arguments = models.TextField(
        _("arguments of the script"), blank=True, max_length=8192
    )
    # Of a schedule or template, the item of the library; its newest version that is approved runs.
    script = models.ForeignKey(
        "tasks.Script",
        verbose_name=_("script of the library"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
    )
    playbook = models.ForeignKey(
        "tasks.Playbook",
        verbose_name=_("playbook"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
    )
    role = models.ForeignKey(
        "tasks.Role",
        verbose_name=_("role"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
    )
    # [{"file": id of a StoredFile, "path": "/etc/motd", "owner": "", "group": "", "mode": "0644", "backup": true}]
    distribution = models.JSONField(_("files"), default=list, blank=True)
    task_module = models.ForeignKey(
        "tasks.TaskModule",
        verbose_name=_("task module"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
    )
    answers = models.JSONField(_("answers"), default=dict, blank=True)
    variables = models.JSONField(_("variables"), default=dict, blank=True)
    # Ansible's: check, diff, tags, skip_tags, limit, verbosity, facts, mitogen.
    options = models.JSONField(_("options"), default=dict, blank=True)
    sealed = EncryptedTextField(_("secret answers"))
    forks = models.PositiveIntegerField(
        _("hosts at once"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(200)],
    )
    batches = models.CharField(
        _("batches"),
        max_length=100,
        blank=True,
        help_text=_(
            "One after the other: `1 10% 50%` is one host, then a tenth of all, then half of all, again and again."
        ),
    )
    pause_after = models.CharField(
        _("pause between batches"),
        max_length=10,
        choices=PauseAfter,
        default=PauseAfter.NEVER,
    )
    stop_percent = models.PositiveSmallIntegerField(
        _("stop when so many failed (%)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    together = models.CharField(
        _("while the same runs"),
        max_length=10,
        choices=Together,
        default=Together.ALLOW,
    )
    repeatable = models.BooleanField(
        _("safe to repeat"),
        default=False,
        help_text=_(
            "Where a worker was lost in the middle of a host, it begins there anew."
        ),
    )
    timeout_seconds = models.PositiveIntegerField(
        _("time-out of a host (s)"),
        default=3600,
        validators=[MinValueValidator(1), MaxValueValidator(86400)],
        help_text=_(
            "A command may take so long on each host, a module or playbook on those of a batch."
        ),
    )
    connect_timeout_seconds = models.PositiveIntegerField(
        _("time-out of the connection (s)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(600)],
    )
    idle_timeout_seconds = models.PositiveIntegerField(
        _("time-out without output (s)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(86400)],
    )
    batch_timeout_seconds = models.PositiveIntegerField(
        _("time-out of a batch (s)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(604800)],
    )
    run_timeout_seconds = models.PositiveIntegerField(
        _("time-out of the run (s)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(604800)],
    )

    # How it runs.
    CONTROL: ClassVar[tuple[str, ...]] = (
        "forks",
        "batches",
        "pause_after",
        "stop_percent",
        "together",
        "repeatable",
        "timeout_seconds",
        "connect_timeout_seconds",
        "idle_timeout_seconds",
        "batch_timeout_seconds",
        "run_timeout_seconds",
    )
    # What RunSpec, a run, a schedule, a template and a step have in common, for copying from one to the other.
    FIELDS: ClassVar[tuple[str, ...]] = (
        "kind",
        "command",
        "module",
        "arguments",
        "language",
        "script_text",
        "script_arguments",
        "script",
        "playbook",
        "role",
        "distribution",
        "task_module",
        "answers",
        "variables",
        "options",
        "sealed",
        *CONTROL,
    )

    class Meta:
        abstract = True

    @property
    def what(self) -> str:
        """The work in one line: the command, the module with its arguments, or the name of what the library has."""
        named = {
            self.Kind.SCRIPT: self.script or self.script_text,
            self.Kind.PLAYBOOK: self.playbook,
            self.Kind.ROLE: self.role,
            self.Kind.TASK_MODULE: self.task_module,
            self.Kind.COMMAND: self.command,
            self.Kind.MODULE: f"{self.module} {self.arguments}",
            self.Kind.FILES: ", ".join(
                str(one.get("path", "")) for one in self.distribution
            ),
        }
        return " ".join(str(named[self.Kind(self.kind)] or "").split())[:200]

    what.fget.short_description = _("what")  # type: ignore[attr-defined]


class Targets(models.Model):
    """On which hosts: chosen ones, those of groups, those that a filter of the host list finds when a run is asked for."""

    hosts = models.ManyToManyField(
        "cmdb.Host", verbose_name=_("hosts"), blank=True, related_name="%(class)ss"
    )
    groups = models.ManyToManyField(
        "cmdb.HostGroup",
        verbose_name=_("host groups"),
        blank=True,
        related_name="%(class)ss",
    )
    # What stands behind the `?` of the host list: `f.idc.is=3&q=web`.
    host_filter = models.CharField(_("filter of hosts"), max_length=2000, blank=True)

    class Meta:
        abstract = True

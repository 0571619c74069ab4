"""Workflows: steps with edges between them, made once."""

from typing import Any, ClassVar, Self

from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
)
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from cmdb.models import HostGroup
from tasks.checks import check_time_zone
from tasks.work_models import Targets, Work, hosts_within, visible_or_own

KEY = r"\A[a-z][a-z0-9_]{0,39}\Z"


class WorkflowQuerySet(ScopedQuerySet):
    """Workflows by who may see or change them."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to workflows within the scope, and the user's own."""
        return visible_or_own(self, user, f"tasks.{action}_workflow", owner=user)

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to workflows that touch the scope (with all targets of all steps, for more than looking)."""
        hosts = hosts_within(scope, action)
        groups = HostGroup.objects.all().within(scope, action).order_by().values("pk")
        steps = WorkflowStep.objects.all()
        touching = steps.filter(Q(hosts__in=hosts) | Q(groups__in=groups))
        reached = Q(pk__in=touching.order_by().values("workflow"))
        if action != "view":
            on_host = WorkflowStep.hosts.through.objects.exclude(host__in=hosts)
            on_group = WorkflowStep.groups.through.objects.exclude(hostgroup__in=groups)
            beyond = Q(pk__in=on_host.values("workflowstep"))
            beyond |= Q(pk__in=on_group.values("workflowstep"))
            # A template and a filter of hosts may lead anywhere.
            beyond |= Q(template__isnull=False) | ~Q(host_filter="")
            reached &= ~Q(pk__in=steps.filter(beyond).order_by().values("workflow"))
        return self.filter(reached)


class Workflow(Timestamped):
    """Steps and the edges between them. `version` counts its changes; a run keeps the definition as it was."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=500, blank=True)
    variables = models.JSONField(
        _("variables"),
        default=dict,
        blank=True,
        help_text=_(
            "Names and texts, for ${vars.name} in the steps; a start may give others."
        ),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    owner = models.ForeignKey(
        "accounts.User",
        verbose_name=_("owner"),
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="workflows",
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)

    objects = WorkflowQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("workflow")
        verbose_name_plural = _("workflows")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:workflow_detail", args=[self.pk])


class WorkflowStep(Work, Targets):
    """One step: work of its own, a template, an approval, a wait or a web-hook."""

    class Does(models.TextChoices):
        """Kinds of steps."""

        WORK = "work", _("work on hosts")
        TEMPLATE = "template", _("template")
        APPROVAL = "approval", _("approval")
        WAIT = "wait", _("wait")
        WEB_HOOK = "web_hook", _("web-hook")

    class Join(models.TextChoices):
        """How many of the edges that lead to a step must be met."""

        ALL = "all", _("all of them")
        ANY = "any", _("one of them")

    class Which(models.TextChoices):
        """Which hosts of an earlier step."""

        FAILED = "failed", _("those where it did not end well")
        OK = "ok", _("those where it ended well")
        ALL = "all", _("all of them")

    ICONS: ClassVar[dict[str, str]] = {
        "work": "terminal",
        "template": "clone",
        "approval": "user-check",
        "wait": "hourglass-half",
        "web_hook": "satellite-dish",
    }

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="steps"
    )
    key = models.CharField(
        _("key"),
        max_length=40,
        validators=[
            RegexValidator(KEY, _("Small letters, digits and _, a letter first."))
        ],
        help_text=_("Short, for ${steps.key.name}: backup, restart_web."),
    )
    title = models.CharField(_("title"), max_length=100)
    position = models.PositiveIntegerField(_("position"), default=0)
    does = models.CharField(
        _("kind of step"), max_length=10, choices=Does, default=Does.WORK
    )
    join = models.CharField(
        _("begins when its conditions are met"),
        max_length=3,
        choices=Join,
        default=Join.ALL,
    )
    template = models.ForeignKey(
        "tasks.Template",
        verbose_name=_("template"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="workflow_steps",
    )
    rule = models.ForeignKey(
        "tasks.ApprovalRule",
        verbose_name=_("approval rule"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="workflow_steps",
    )
    # The hosts of an earlier step instead of chosen ones.
    hosts_from = models.CharField(_("hosts of the step"), max_length=40, blank=True)
    hosts_which = models.CharField(
        _("which of them"), max_length=6, choices=Which, default=Which.FAILED
    )
    wait_seconds = models.PositiveIntegerField(
        _("wait (s)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(604800)],
    )
    wait_until = models.TimeField(
        _("wait until"),
        null=True,
        blank=True,
        help_text=_("The next time that the clock shows this: 02:30."),
    )
    wait_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[check_time_zone]
    )
    # The address of a web-hook is often its secret.
    hook_url = EncryptedTextField(
        _("address"), help_text=_("Begins with https://; kept encrypted.")
    )
    hook_body = models.JSONField(
        _("message"),
        default=dict,
        blank=True,
        help_text=_("JSON; ${steps.key.name} and ${vars.name} are filled in."),
    )
    hook_tries = models.PositiveSmallIntegerField(
        _("tries"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
    )

    # What a step has besides the fields of its work, for freezing and for files.
    OWN: ClassVar[tuple[str, ...]] = (
        "key",
        "title",
        "position",
        "does",
        "join",
        "template",
        "rule",
        "host_filter",
        "hosts_from",
        "hosts_which",
        "wait_seconds",
        "wait_until",
        "wait_zone",
        "hook_body",
        "hook_tries",
    )

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        default_permissions = ()
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workflow", "key"], name="step_key_once_in_workflow"
            )
        ]

    def __str__(self) -> str:
        return self.title or self.key


class WorkflowEdge(models.Model):
    """One step after another: when the first ended well, when it did not, or in any case."""

    class When(models.TextChoices):
        """When an edge is met."""

        SUCCESS = "success", _("after success")
        FAILURE = "failure", _("after failure")
        ALWAYS = "always", _("in any case")

    workflow = models.ForeignKey(
        Workflow, on_delete=models.CASCADE, related_name="edges"
    )
    source = models.ForeignKey(
        WorkflowStep, on_delete=models.CASCADE, related_name="edges_out"
    )
    target = models.ForeignKey(
        WorkflowStep, on_delete=models.CASCADE, related_name="edges_in"
    )
    when = models.CharField(max_length=10, choices=When, default=When.SUCCESS)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "target"], name="edge_once")
        ]

    def __str__(self) -> str:
        return f"{self.source_id} > {self.target_id}"

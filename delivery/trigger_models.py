"""What starts deploys by itself: schedules, and pipelines that go when another one went well. Each goes as the one who saved it last."""

from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from delivery.deploy_models import Deploy, OfEnvironmentsQuerySet
from tasks.planned_models import Planned
from tasks.vouched_models import Vouched


class Trigger(Timestamped, Vouched):
    """What the triggers share: where it delivers, in whose name, and why it was turned off."""

    pipeline = models.ForeignKey(
        "delivery.Pipeline",
        verbose_name=_("pipeline"),
        on_delete=models.CASCADE,
        related_name="%(class)s_triggers",
    )
    environment = models.ForeignKey(
        "appconf.Environment",
        verbose_name=_("environment"),
        on_delete=models.CASCADE,
        related_name="%(class)s_triggers",
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    run_as = models.ForeignKey(
        "accounts.User",
        verbose_name=_("delivers as"),
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    notice = models.CharField(_("notice"), max_length=500, blank=True, editable=False)

    class Meta:
        abstract = True


class DeploySchedule(Trigger, Planned):
    """Deploys that begin by themselves: every so many minutes, by crontab, or once."""

    # A deploy is never made up for more than once, and two of one schedule never go on at the same time.
    MISSED = (
        (Planned.Missed.SKIP.value, _("leave them out")),
        (Planned.Missed.ONCE.value, _("make up for them with one deploy")),
    )
    OVERLAP = (
        (Planned.Overlap.SKIP.value, _("leave it out")),
        (Planned.Overlap.QUEUE.value, _("wait until the former has ended")),
    )
    REF_KINDS = (Deploy.RefKind.BRANCH, Deploy.RefKind.TAG, Deploy.RefKind.COMMIT)
    REF_CHOICES = tuple((kind.value, kind.label) for kind in REF_KINDS)

    ref_kind = models.CharField(
        _("kind of reference"),
        max_length=10,
        choices=REF_CHOICES,
        default=Deploy.RefKind.BRANCH,
    )
    ref = models.CharField(
        _("reference"),
        max_length=200,
        blank=True,
        help_text=_("Empty: the default branch of the source."),
    )
    only_new = models.BooleanField(
        _("only something new"),
        default=True,
        help_text=_("Nothing begins where the commit is live on all hosts already."),
    )
    every_minutes = models.PositiveIntegerField(
        _("every (minutes)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(5), MaxValueValidator(44640)],
    )
    missed = models.CharField(
        _("missed deploys"), max_length=10, choices=MISSED, default=Planned.Missed.SKIP
    )
    overlap = models.CharField(
        _("while the former deploy goes on"),
        max_length=10,
        choices=OVERLAP,
        default=Planned.Overlap.SKIP,
        help_text=_("At most one of them waits."),
    )
    next_at = models.DateTimeField(
        _("next deploy"), null=True, blank=True, editable=False, db_index=True
    )
    missed_most = 1

    objects = OfEnvironmentsQuerySet.as_manager()  # type: ignore[misc]

    class Meta(Planned.Meta):
        verbose_name = _("planned deploy")
        verbose_name_plural = _("planned deploys")

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:deployschedule_detail", args=[self.pk])


class DeployTime(models.Model):
    """A planned time of a schedule and what became of it; the only row of that time."""

    class State(models.TextChoices):
        """What became of it."""

        ASKED = "asked", _("asked for")
        SKIPPED = "skipped", _("left out")
        MISSED = "missed", _("missed")
        OVERLAPPED = "overlapped", _("former was still running")

    STATES: ClassVar[dict[str, str]] = {
        "asked": "ok",
        "skipped": "idle",
        "missed": "warning",
        "overlapped": "warning",
    }

    schedule = models.ForeignKey(
        DeploySchedule, on_delete=models.CASCADE, related_name="times"
    )
    planned_at = models.DateTimeField(_("planned for"))
    state = models.CharField(_("what became of it"), max_length=10, choices=State)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    request = models.OneToOneField(
        "delivery.DeployRequest",
        null=True,
        on_delete=models.SET_NULL,
        related_name="planned",
    )

    class Meta:
        default_permissions = ()
        ordering = ["-planned_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "planned_at"], name="deploy_time_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.planned_at:%Y-%m-%d %H:%M} {self.state}"

    @property
    def colour(self) -> str:
        """Colour of what became of it."""
        return self.STATES[self.state]


class FollowUpQuerySet(ScopedQuerySet):
    """Rules of what goes on where, by who reaches both ends."""

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to rules whose two environments lie in the scope."""
        environments = self.model._meta.get_field("environment").related_model
        manager: Any = environments._default_manager  # type: ignore[union-attr]
        rows = manager.all().within(scope, action)
        reached = rows.order_by().values("pk")
        return self.filter(environment__in=reached, after_environment__in=reached)


class FollowUp(Trigger):
    """When one pipeline brought something to one environment and all was well, another goes: promotion, or a project that hangs on it."""

    after_pipeline = models.ForeignKey(
        "delivery.Pipeline",
        verbose_name=_("after this pipeline"),
        on_delete=models.CASCADE,
        related_name="followed_by",
    )
    after_environment = models.ForeignKey(
        "appconf.Environment",
        verbose_name=_("ended well in"),
        on_delete=models.CASCADE,
        related_name="followed_by",
    )
    branch = models.CharField(
        pgettext_lazy("git", "branch"),
        max_length=200,
        blank=True,
        help_text=_(
            "Of another project only: which branch of it is delivered. Empty: its default branch."
        ),
    )

    objects = FollowUpQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("follow-up")
        verbose_name_plural = _("follow-ups")
        ordering = ["after_pipeline__project__name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "after_pipeline",
                    "after_environment",
                    "pipeline",
                    "environment",
                ],
                name="followup_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.after_pipeline} → {self.after_environment.name} → {self.pipeline} → {self.environment.name}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:followup_detail", args=[self.pk])

    @property
    def promotes(self) -> bool:
        """Whether the very same artefact goes on: within one project."""
        return self.after_pipeline.project_id == self.pipeline.project_id

"""What starts deploys by itself: schedules, and pipelines that go when another one went well. Each goes as the one who saved it last."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from delivery.deploy_models import Deploy, OfEnvironmentsQuerySet
from tasks import timing
from tasks.checks import check_time_zone
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


class DeploySchedule(Trigger):
    """Deploys that begin by themselves: every so many minutes, by crontab, or once."""

    class Missed(models.TextChoices):
        """What becomes of planned times at which the portal was away; the same words as the task centre's."""

        SKIP = "skip", _("leave them out")
        ONCE = "once", _("make up for them with one deploy")

    class Overlap(models.TextChoices):
        """What becomes of a planned time while the former deploy goes on."""

        SKIP = "skip", _("leave it out")
        QUEUE = "queue", _("wait until the former has ended")

    REF_KINDS = (Deploy.RefKind.BRANCH, Deploy.RefKind.TAG, Deploy.RefKind.COMMIT)
    REF_CHOICES = tuple((kind.value, kind.label) for kind in REF_KINDS)

    name = models.CharField(_("name"), max_length=100, unique=True)
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
    crontab = models.CharField(
        _("crontab"),
        max_length=100,
        blank=True,
        validators=[timing.check_crontab],
        help_text=_(
            "Minute, hour, day, month, weekday: `30 2 * * 1-5` is 02:30 from Monday to Friday."
        ),
    )
    once_at = models.DateTimeField(_("once, at"), null=True, blank=True)
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[check_time_zone],
        help_text=_("For the crontab: Asia/Shanghai, UTC."),
    )
    starts_at = models.DateTimeField(_("not before"), null=True, blank=True)
    ends_at = models.DateTimeField(_("not after"), null=True, blank=True)
    missed = models.CharField(
        _("missed deploys"), max_length=10, choices=Missed, default=Missed.SKIP
    )
    grace_seconds = models.PositiveIntegerField(
        _("still in time after (s)"),
        default=300,
        validators=[MinValueValidator(10), MaxValueValidator(86400)],
        help_text=_("A planned time that is found later than this counts as missed."),
    )
    overlap = models.CharField(
        _("while the former deploy goes on"),
        max_length=10,
        choices=Overlap,
        default=Overlap.SKIP,
    )
    next_at = models.DateTimeField(
        _("next deploy"), null=True, blank=True, editable=False, db_index=True
    )
    looked_at = models.DateTimeField(null=True, blank=True, editable=False)

    # What the task centre's policy of missed times asks for; a deploy is never made up for more than once.
    missed_most: ClassVar[int] = 1

    objects = OfEnvironmentsQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("planned deploy")
        verbose_name_plural = _("planned deploys")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:deployschedule_detail", args=[self.pk])

    @property
    def plan(self) -> timing.Plan:
        """When it begins."""
        return timing.Plan(
            self.every_minutes,
            self.crontab,
            self.time_zone,
            self.once_at,
            self.starts_at,
            self.ends_at,
        )

    @property
    def when(self) -> str:
        """When it begins, in words."""
        return self.plan.words()

    when.fget.short_description = _("when")  # type: ignore[attr-defined]

    def plan_next(self, now: datetime | None = None) -> None:
        """Work out its next planned time after a moment, and keep it on the row; none while it is off."""
        self.looked_at = now or timezone.now()
        times = self.plan.upcoming(self.looked_at, 1) if self.enabled else []
        self.next_at = times[0] if times else None


class DeployTime(models.Model):
    """A planned time of a schedule and what became of it; the only row of that time."""

    class State(models.TextChoices):
        """What became of it."""

        ASKED = "asked", _("asked for")
        SKIPPED = "skipped", _("left out")
        MISSED = "missed", _("missed")
        OVERLAPPED = "overlapped", _("former still went on")

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
        _("branch"),
        max_length=200,
        blank=True,
        help_text=_(
            "Of another project only: which branch of it goes. Empty: its default branch."
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

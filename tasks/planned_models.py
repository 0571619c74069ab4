"""What is planned for times: when, what is done with times that were missed, and which one comes next."""

from datetime import datetime
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tasks import timing
from tasks.checks import check_time_zone


class Planned(models.Model):
    """Something that begins by itself: every so many minutes, by crontab, or once. Its rows of times are `times`.

    Each kind adds `missed` and `overlap` with those of the words that it knows, and what else is named here.
    """

    class Missed(models.TextChoices):
        """What becomes of planned times at which the portal was away."""

        SKIP = "skip", _("leave them out")
        ONCE = "once", _("make up for them with one run")
        ALL = "all", _("make up for each, oldest first")

    class Overlap(models.TextChoices):
        """What becomes of a planned time while the former run goes on."""

        SKIP = "skip", _("leave it out")
        QUEUE = "queue", _("wait until the former has ended")
        ALLOW = "allow", _("run both")
        CANCEL = "cancel", _("stop the former, then run")

    enabled: Any
    missed: Any
    missed_most: Any
    notice: Any
    run_as: Any
    times: Any

    name = models.CharField(_("name"), max_length=100, unique=True)
    every_minutes = models.PositiveIntegerField(
        _("every (minutes)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(44640)],
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
    grace_seconds = models.PositiveIntegerField(
        _("still in time after (s)"),
        default=300,
        validators=[MinValueValidator(10), MaxValueValidator(86400)],
        help_text=_("A planned time that is found later than this counts as missed."),
    )
    # The planned time that comes next (a tick takes the rows where it has come), and when that was worked out.
    next_at = models.DateTimeField(
        _("next run"), null=True, blank=True, editable=False, db_index=True
    )
    looked_at = models.DateTimeField(
        null=True, blank=True, editable=False, db_index=True
    )

    class Meta:
        abstract = True
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

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

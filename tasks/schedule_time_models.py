"""What became of each planned time of a schedule, and what was told of it."""

from typing import Any, ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from adminset.querysets import Scope, ScopedQuerySet
from tasks.schedule_models import Schedule, result_badge
from tasks.work_models import visible_or_own


class OfScheduleQuerySet(ScopedQuerySet):
    """Rows that are seen by who sees their schedule."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to those of schedules that the user sees."""
        seen = visible_or_own(
            Schedule.objects.all(), user, f"tasks.{action}_schedule", run_as=user
        )
        return self.filter(schedule__in=seen.order_by().values("pk"))

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to those of schedules that touch the scope."""
        seen = Schedule.objects.all().within(scope, action)
        return self.filter(schedule__in=seen.order_by().values("pk"))


class ScheduleTime(models.Model):
    """A planned time (or one at which somebody asked for a run) and what became of it; the only row of that time."""

    class State(models.TextChoices):
        """What became of it."""

        RAN = "ran", _("ran")
        BY_HAND = "by_hand", _("by hand")
        WAITS = "waits", _("waits")
        SKIPPED = "skipped", _("left out")
        MISSED = "missed", _("missed")
        OVERLAPPED = "overlapped", _("former still ran")

    STARTED = (State.RAN, State.BY_HAND)
    STATES: ClassVar[dict[str, str]] = {
        "ran": "ok",
        "by_hand": "ok",
        "waits": "busy",
        "skipped": "idle",
        "missed": "warning",
        "overlapped": "warning",
    }

    schedule = models.ForeignKey(
        "tasks.Schedule", on_delete=models.CASCADE, related_name="times"
    )
    planned_at = models.DateTimeField(_("planned for"))
    state = models.CharField(_("what became of it"), max_length=10, choices=State)
    run = models.ForeignKey(
        "tasks.Run", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    # Of one that waits: when its window opens; empty while it waits for the former run.
    look_at = models.DateTimeField(null=True, blank=True)
    # How the run ended and how long it took, once it has ended: stays when the run is cleared away.
    result = models.CharField(_("result"), max_length=20, blank=True)
    seconds = models.FloatField(_("duration"), null=True, blank=True)
    noted_at = models.DateTimeField(auto_now_add=True)

    objects = OfScheduleQuerySet.as_manager()

    class Meta:
        verbose_name = _("planned time")
        verbose_name_plural = _("planned times")
        ordering = ["-planned_at"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "planned_at"], name="schedule_time_once"
            )
        ]
        indexes = [models.Index(fields=["state", "result"], name="schedule_time_open")]

    def __str__(self) -> str:
        return f"{self.schedule_id} {self.planned_at:%Y-%m-%d %H:%M} {self.state}"

    @property
    def colour(self) -> str:
        """Colour of what became of it."""
        return self.STATES[self.state]

    @property
    def badge(self) -> tuple[str, Any] | None:
        """Colour and word of its run's result."""
        return result_badge(self.result)


class ScheduleNotice(models.Model):
    """Something of a schedule that somebody should know; `key` keeps it from being told twice."""

    class Kind(models.TextChoices):
        """What is told."""

        MISSED = "missed", _("missed")
        FAILED = "failed", _("failed")
        RECOVERED = "recovered", _("recovered")
        SLOW = "slow", _("slower than usual")

    STATES: ClassVar[dict[str, str]] = {
        "missed": "warning",
        "failed": "danger",
        "recovered": "ok",
        "slow": "warning",
    }

    schedule = models.ForeignKey(
        "tasks.Schedule", on_delete=models.CASCADE, related_name="notices"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    key = models.CharField(max_length=80)
    run = models.ForeignKey(
        "tasks.Run", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.CharField(_("text"), max_length=500)
    created_at = models.DateTimeField(_("time"), auto_now_add=True, db_index=True)

    objects = OfScheduleQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice of a schedule")
        verbose_name_plural = _("notices of schedules")
        ordering = ["-id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["schedule", "kind", "key"], name="schedule_notice_once"
            )
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def colour(self) -> str:
        """Colour of its kind."""
        return self.STATES[self.kind]

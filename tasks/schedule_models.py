"""What runs by itself."""

from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from cmdb.models import HostGroup
from tasks.planned_models import Planned
from tasks.vouched_models import Vouched
from tasks.work_models import Targets, Work, hosts_within, visible_or_own

# How a run ended (or a planned time, once its run did): colour and word.
RESULTS: dict[str, tuple[str, Any]] = {
    "ok": ("ok", _("ok")),
    "failed": ("danger", _("failed")),
    "lost": ("danger", _("lost")),
    "cancelled": ("warning", _("cancelled")),
    "gone": ("idle", _("cleared away")),
}


def result_badge(result: str) -> tuple[str, Any] | None:
    """Give colour and word of a result; None before there is one."""
    return RESULTS.get(result, ("idle", result)) if result else None


class ScheduleQuerySet(ScopedQuerySet):
    """Schedules by who may see or change them."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to schedules within the scope, and the user's own."""
        return visible_or_own(self, user, f"tasks.{action}_schedule", run_as=user)

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to schedules that touch the scope (with all targets, for more than looking)."""
        hosts = hosts_within(scope, action)
        groups = HostGroup.objects.all().within(scope, action).order_by().values("pk")
        on_host, on_group = (
            Schedule.hosts.through.objects,
            Schedule.groups.through.objects,
        )
        reached = Q(pk__in=on_host.filter(host__in=hosts).values("schedule"))
        reached |= Q(pk__in=on_group.filter(hostgroup__in=groups).values("schedule"))
        if action != "view":
            reached &= ~Q(pk__in=on_host.exclude(host__in=hosts).values("schedule"))
            reached &= ~Q(
                pk__in=on_group.exclude(hostgroup__in=groups).values("schedule")
            )
        return self.filter(reached)


class Schedule(Timestamped, Work, Targets, Vouched, Planned):
    """Work that runs by itself: every so many minutes, by crontab or once, as the user who saved it last."""

    class Outside(models.TextChoices):
        """What becomes of a planned time that lies outside the windows, or in a blackout."""

        SKIP = "skip", _("leave it out")
        WAIT = "wait", _("wait until it may run")

    only_in = models.ForeignKey(
        "tasks.Calendar",
        verbose_name=_("only in"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="schedules_within",
        help_text=_("Runs only in the times of this calendar."),
    )
    not_in = models.ForeignKey(
        "tasks.Calendar",
        verbose_name=_("not in"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="schedules_beside",
        help_text=_("Never runs in the times of this calendar."),
    )
    outside = models.CharField(
        _("planned for another time"),
        max_length=10,
        choices=Outside,
        default=Outside.SKIP,
    )
    missed = models.CharField(
        _("missed runs"),
        max_length=10,
        choices=Planned.Missed,
        default=Planned.Missed.SKIP,
        help_text=_("What was planned for a time at which the portal was away."),
    )
    missed_most = models.PositiveSmallIntegerField(
        _("at most so many missed runs"),
        default=10,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    overlap = models.CharField(
        _("while the former run goes on"),
        max_length=10,
        choices=Planned.Overlap,
        default=Planned.Overlap.SKIP,
    )
    jitter_seconds = models.PositiveIntegerField(
        _("spread over (s)"),
        default=0,
        validators=[MaxValueValidator(3600)],
        help_text=_(
            "Each run begins up to so much later, so that not all schedules begin at once."
        ),
    )
    keep_runs = models.PositiveIntegerField(
        _("keep so many runs"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("Empty: as many as there are."),
    )
    keep_days = models.PositiveIntegerField(
        _("keep runs for (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Empty: as the portal keeps all runs."),
    )
    enabled = models.BooleanField(_("enabled"), default=True)
    run_as = models.ForeignKey(
        "accounts.User",
        verbose_name=_("runs as"),
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="schedules",
    )
    notice = models.CharField(_("notice"), max_length=500, blank=True, editable=False)
    last_run_at = models.DateTimeField(
        _("last run"), null=True, blank=True, editable=False
    )
    last_result = models.CharField(
        _("last result"), max_length=20, blank=True, editable=False
    )
    run_count = models.PositiveIntegerField(
        _("number of runs"), default=0, editable=False
    )
    # The newest results, oldest first: [{"status": "ok", "seconds": 12.5}].
    results = models.JSONField(_("results"), default=list, editable=False)
    # Median of the newest that ended well; what takes much longer is told.
    typical_seconds = models.FloatField(
        _("takes usually"), null=True, blank=True, editable=False
    )
    failures = models.PositiveIntegerField(
        _("failures one after the other"), default=0, editable=False
    )

    objects = ScheduleQuerySet.as_manager()  # type: ignore[misc]

    class Meta(Planned.Meta):
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:schedule_detail", args=[self.pk])

    @property
    def result(self) -> tuple[str, Any] | None:
        """Colour and word of the last result."""
        return result_badge(self.last_result)

    @property
    def success_share(self) -> float | None:
        """How many of the newest results were good (%); those that somebody stopped do not count."""
        counted = [one for one in self.results if one.get("status") != "cancelled"]
        good = sum(one.get("status") == "ok" for one in counted)
        return 100 * good / len(counted) if counted else None

    @property
    def pace(self) -> list[float | None]:
        """How long each of the newest took (s), oldest first."""
        return [one.get("seconds") for one in self.results]

    @property
    def average_seconds(self) -> float | None:
        """How long the newest took on the average (s)."""
        took = [seconds for seconds in self.pace if seconds is not None]
        return sum(took) / len(took) if took else None

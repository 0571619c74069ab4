"""What runs by itself."""

from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from cmdb.models import HostGroup
from tasks import timing
from tasks.checks import check_time_zone
from tasks.work_models import Work, hosts_within, visible_or_own


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


class Schedule(Timestamped, Work):
    """Work that runs by itself: every so many minutes, or by crontab, as the user who saved it last."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    playbook = models.ForeignKey(
        "tasks.Playbook",
        verbose_name=_("playbook"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="schedules",
    )
    hosts = models.ManyToManyField(
        "cmdb.Host", verbose_name=_("hosts"), blank=True, related_name="schedules"
    )
    groups = models.ManyToManyField(
        "cmdb.HostGroup",
        verbose_name=_("host groups"),
        blank=True,
        related_name="schedules",
    )
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
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="UTC",
        validators=[check_time_zone],
        help_text=_("For the crontab: Asia/Shanghai, UTC."),
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
    run_count = models.PositiveIntegerField(
        _("number of runs"), default=0, editable=False
    )
    periodic_task = models.OneToOneField(
        "django_celery_beat.PeriodicTask",
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )

    objects = ScheduleQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:schedule_detail", args=[self.pk])

    @property
    def plan(self) -> timing.Plan:
        """When it runs."""
        return timing.Plan(self.every_minutes, self.crontab, self.time_zone)

    @property
    def when(self) -> str:
        """When it runs, in words."""
        return self.plan.words()

    @property
    def next_at(self) -> Any:
        """Its next time; None while it is off."""
        times = self.plan.upcoming(timezone.now(), 1) if self.enabled else []
        return times[0] if times else None

    when.fget.short_description = _("when")  # type: ignore[attr-defined]
    next_at.fget.short_description = _("next run")  # type: ignore[attr-defined]

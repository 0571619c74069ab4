"""Calendars: times in which schedules may run, or may not, and in which launching by hand warns."""

from datetime import datetime

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import ScopedQuerySet
from tasks.checks import check_time_zone
from tasks.scheduling.spans import Spans, check_spans, read_spans


class Calendar(Timestamped):
    """Times by name: the windows of a schedule (`only_in`), its blackouts (`not_in`), the blackouts of hosts."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    times = models.TextField(
        _("times"),
        max_length=20_000,
        validators=[check_spans],
        help_text=_(
            "A line each: mon-fri 22:00-06:00, sat,sun, 2026-12-24 .. 2027-01-02, 2026-12-24 18:00 .. 2026-12-25 06:00, "
            "*-12-25 (every year). What stands behind # is shown as the reason."
        ),
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[check_time_zone]
    )
    warns_everywhere = models.BooleanField(
        _("a blackout of all hosts"),
        default=False,
        help_text=_("Who launches something by hand in these times is warned."),
    )
    warns_groups = models.ManyToManyField(
        "cmdb.HostGroup",
        verbose_name=_("a blackout of the hosts of"),
        blank=True,
        related_name="calendars",
    )
    notes = models.CharField(_("notes"), max_length=500, blank=True)

    objects = ScopedQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("calendar")
        verbose_name_plural = _("calendars")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:calendar_detail", args=[self.pk])

    @property
    def spans(self) -> Spans:
        """Its times."""
        return read_spans(self.times, self.time_zone)

    def reason_at(self, moment: datetime) -> str | None:
        """Give why a moment lies in its times, with its name; None where it does not."""
        note = self.spans.note_at(moment)
        if note is None:
            return None
        return f"{self.name}: {note}" if note else self.name

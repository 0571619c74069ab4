"""What was not kept of a host's reports, or put right: kept here, so that it can be shown."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class HostIntakeQuerySet(models.QuerySet["HostIntake"]):
    """Questions about many hosts at once."""

    def lately(self) -> Self:
        """Narrow to hosts of whose reports something was not kept lately."""
        return self.filter(noted_at__gte=forgotten_before())

    def corrected(self) -> Self:
        """Narrow to hosts whose clock is put right now: it is off, and was in the boot with which their agent speaks."""
        same_boot = Q(clock_boot=F("host__agent__boot_id"))
        most = settings.AGENT_CLOCK_TOLERANCE_SECONDS
        ahead = Q(host__agent__clock_offset_seconds__gt=most)
        behind = Q(host__agent__clock_offset_seconds__lt=-most)
        return self.filter(same_boot, ahead | behind).exclude(clock_seconds=0)


class HostIntake(models.Model):
    """What the portal dropped of a host's reports, and by how much it moves them.

    Attributes:
        implausible: metric -> how many values that cannot be true, since the first.
        left_out: kind of part -> how many were beyond the quota, or left out by the agent, when that last happened.
        seen: "implausible.<metric>" or "left_out.<kind>" -> [first, last] in Unix seconds.
        noted_at: when something was last not kept.
        clock_seconds: what is taken off the times of samples of the boot `clock_boot`, since `clock_since`.
    """

    host = models.OneToOneField(
        "cmdb.Host",
        verbose_name=_("host"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="+",
    )
    implausible = models.JSONField(default=dict, blank=True, editable=False)
    left_out = models.JSONField(default=dict, blank=True, editable=False)
    seen = models.JSONField(default=dict, blank=True, editable=False)
    noted_at = models.DateTimeField(_("noted"), null=True, blank=True, db_index=True)
    clock_seconds = models.IntegerField(default=0, editable=False)
    clock_boot = models.CharField(max_length=64, blank=True, editable=False)
    clock_since = models.DateTimeField(null=True, blank=True, editable=False)

    objects = HostIntakeQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        verbose_name = _("what was not kept of a host's reports")
        verbose_name_plural = _("what was not kept of hosts' reports")

    def __str__(self) -> str:
        return str(self.host_id)

    def times_of(self, line: str) -> tuple[float, float] | None:
        """Give first and last moment of a line, None where it is not known or too long ago."""
        times = self.seen.get(line)
        if not times or times[1] < forgotten_before().timestamp():
            return None
        return times[0], times[1]


def forgotten_before() -> datetime:
    """Give the moment before which nobody needs to be told of what was left out."""
    return timezone.now() - timedelta(days=settings.LEFT_OUT_DAYS)

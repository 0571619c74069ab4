"""What was not kept of a host's reports: kept here, so that it can be shown."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class HostIntake(models.Model):
    """What the portal dropped of a host's reports.

    Attributes:
        implausible: metric -> how many values that cannot be true, ever.
        left_out: kind of part -> how many were beyond the quota, or left out by the agent, when that last happened.
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
    noted_at = models.DateTimeField(_("noted"), auto_now=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("what was not kept of a host's reports")
        verbose_name_plural = _("what was not kept of hosts' reports")

    def __str__(self) -> str:
        return str(self.host_id)

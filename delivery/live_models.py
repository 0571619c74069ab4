"""What is live where: what the portal says, and what the host itself said last."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from delivery.deploy_models import OfEnvironmentsQuerySet


class LiveRelease(models.Model):
    """The release of an environment on a host. `expected` is what the portal made live, `said` what the host read back."""

    environment = models.ForeignKey(
        "appconf.Environment",
        verbose_name=_("environment"),
        on_delete=models.CASCADE,
        related_name="live_releases",
    )
    host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        on_delete=models.CASCADE,
        related_name="live_releases",
    )
    artefact = models.ForeignKey(
        "delivery.Artefact",
        verbose_name=_("artefact"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="live_on",
    )
    deploy = models.ForeignKey(
        "delivery.Deploy",
        verbose_name=_("deploy"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="made_live",
    )
    expected = models.CharField(_("the portal says"), max_length=200, blank=True)
    said = models.CharField(_("the host says"), max_length=200, blank=True)
    # The release before, as the host said: one click away.
    previous = models.CharField(_("release before"), max_length=200, blank=True)
    # Whole releases that the host keeps: [{"release", "good", "bad"}]
    kept = models.JSONField(_("kept releases"), default=list, blank=True)
    since = models.DateTimeField(_("live since"), null=True, blank=True)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    # Why it could not be read the last time.
    problem = models.CharField(_("problem"), max_length=500, blank=True)

    objects = OfEnvironmentsQuerySet.as_manager()

    class Meta:
        verbose_name = _("live release")
        verbose_name_plural = _("live releases")
        default_permissions = ("view",)
        ordering = ["environment", "host__hostname"]
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "host"], name="one_live_release"
            )
        ]

    def __str__(self) -> str:
        return f"{self.host}: {self.said or self.expected}"

    @property
    def release(self) -> str:
        """What the host said last, or what is expected where it never said."""
        return self.said if self.read_at else self.expected

    @property
    def has_drifted(self) -> bool:
        """Whether the host says something else than the portal."""
        return self.read_at is not None and self.said != self.expected

"""What is live where: what the portal says, and what the host itself said last."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

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
    # The release whose files were compared last, how many of them are not what was delivered, and some of their names.
    compared = models.CharField(_("compared release"), max_length=200, blank=True)
    compared_at = models.DateTimeField(_("compared"), null=True, blank=True)
    changed = models.PositiveIntegerField(_("changed files"), null=True, blank=True)
    changed_files = models.TextField(_("names of changed files"), blank=True)
    # Why its files could not be compared the last time: what was found before that stands.
    compare_problem = models.CharField(
        _("problem of comparing"), max_length=500, blank=True
    )
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

    @property
    def drift_words(self) -> str:
        """What the host and the portal say where they do not say the same; "" where they do. It names the host: bring it along."""
        if not self.has_drifted:
            return ""
        words = _("%(host)s runs %(said)s, the portal says %(expected)s.")
        if not self.expected:
            words = _("%(host)s runs %(said)s, which the portal did not bring there.")
        elif not self.said:
            words = _("%(host)s runs nothing, the portal says %(expected)s.")
        return words % {
            "host": self.host.hostname,
            "said": self.said,
            "expected": self.expected,
        }

    @property
    def changed_words(self) -> str:
        """How many files of what is live were changed on the host, as far as that was looked at; "" where none was."""
        if not self.changed or self.compared != self.said:
            return ""
        words = ngettext(
            "%(host)s: %(count)s file of %(release)s is not what was delivered: %(files)s",
            "%(host)s: %(count)s files of %(release)s are not what was delivered: %(files)s",
            self.changed,
        )
        return words % {
            "host": self.host.hostname,
            "count": self.changed,
            "release": self.compared,
            "files": self.changed_files,
        }

"""Sites: by whom the hosts of an IDC are reached, and the output that their workers send home."""

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from tasks.work_models import hosts_within

QUEUE_PREFIX = "idc."


class SiteQuerySet(ScopedQuerySet):
    """Sites, seen by who may see a host there; changed only by who may change them everywhere."""

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to the sites of the hosts in the scope."""
        if action != "view":
            return self.none()
        return self.filter(idc__hosts__in=hosts_within(scope, action)).distinct()


class Site(Timestamped):
    """How the hosts of an IDC are reached: by workers of their own, through a jump host, or by the portal's workers directly."""

    class How(models.TextChoices):
        """Ways to the hosts."""

        WORKERS = "workers", _("workers of its own")
        JUMP = "jump", _("through a jump host")
        DIRECT = "direct", _("directly")

    class Fallback(models.TextChoices):
        """What becomes of work while the site has no worker."""

        WAIT = "wait", _("it waits")
        PORTAL = "direct", _("the portal's workers do it")
        OTHER = "other", _("another site's workers do it")

    idc = models.OneToOneField(
        "cmdb.Idc",
        verbose_name=_("IDC"),
        on_delete=models.PROTECT,
        related_name="site",
    )
    enabled = models.BooleanField(
        _("in use"),
        default=True,
        help_text=_("Off: its hosts are reached as if there were no site."),
    )
    how = models.CharField(
        _("hosts are reached"), max_length=10, choices=How, default=How.DIRECT
    )
    jump = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("jump host"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="jump_for_sites",
        help_text=_(
            "It has a credential and an accepted key of its own. A site with workers uses it only when others do its work."
        ),
    )
    fallback = models.CharField(
        _("without workers"), max_length=10, choices=Fallback, default=Fallback.WAIT
    )
    other = models.ForeignKey(
        "tasks.Site",
        verbose_name=_("other site"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="stands_in_for",
    )
    most = models.PositiveSmallIntegerField(
        _("runs at once"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text=_("Of its own workers. Empty: as many as these take."),
    )
    notes = models.CharField(_("notes"), max_length=500, blank=True)
    # When a worker of its own was seen last; written by the one who looks (sites/health.py), not by people.
    seen_at = models.DateTimeField(
        _("last sign of a worker"), null=True, blank=True, editable=False
    )

    objects = SiteQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("site")
        verbose_name_plural = _("sites")
        ordering = ["idc__name", "id"]

    def __str__(self) -> str:
        return str(self.idc)

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:site_detail", args=[self.pk])

    @property
    def queue(self) -> str:
        """The queue that its own workers serve."""
        return f"{QUEUE_PREFIX}{self.idc.code}"

    @property
    def has_queue(self) -> bool:
        """Whether its hosts are worked on by workers of its own."""
        return self.enabled and self.how == self.How.WORKERS


class SentFile(models.Model):
    """How far one machine has sent one file of a run's output home: the worker goes on from here, whatever broke off."""

    run = models.ForeignKey(
        "tasks.Run", on_delete=models.CASCADE, related_name="sent_files"
    )
    # RunHost's id; 0 is the file of the whole run.
    row_id = models.PositiveBigIntegerField()
    # The machine: the name of its folder of output (sites/sending.py).
    source = models.CharField(max_length=36)
    # How many bytes of other machines stand at home before what this one sends now, and how many of its own were sent.
    base = models.BigIntegerField(default=0)
    sent = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["run", "row_id", "source"], name="file_sent_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.row_id} {self.sent}"


class OutputPiece(models.Model):
    """Bytes of a run's output on their way home; gone once they stand in the file there."""

    file = models.ForeignKey(SentFile, on_delete=models.CASCADE, related_name="pieces")
    # Where it begins in the file at home.
    offset = models.BigIntegerField()
    data = models.BinaryField()

    class Meta:
        default_permissions = ()
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.file} +{self.offset}"

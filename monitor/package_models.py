"""Which packages hosts have: lists that were asked for, each kept once however many hosts have the same."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class InstalledPackage(models.Model):
    """A package in a version for an architecture, as package managers name it."""

    name = models.CharField(_("name"), max_length=200)
    version = models.CharField(_("version"), max_length=200, blank=True)
    architecture = models.CharField(_("architecture"), max_length=50, blank=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("package")
        verbose_name_plural = _("packages")
        constraints = [
            models.UniqueConstraint(
                fields=["name", "version", "architecture"], name="package_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


class PackageList(models.Model):
    """A list of packages; `digest` is made here of what is in it, so that no host can claim the list of another."""

    digest = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField(_("count"))
    packages = models.ManyToManyField(InstalledPackage, related_name="lists")

    class Meta:
        default_permissions = ()
        verbose_name = _("list of packages")
        verbose_name_plural = _("lists of packages")

    def __str__(self) -> str:
        return self.digest[:12]


class HostPackagesQuerySet(models.QuerySet["HostPackages"]):
    """Questions about many hosts at once."""

    def waiting(self) -> Self:
        """Narrow to hosts that were asked and have not answered yet."""
        return self.filter(asked_at__gte=given_up_before())


class HostPackages(models.Model):
    """What is known of one host's packages.

    Attributes:
        packages: its newest list, None where none came yet.
        hash: what the agent said of its list when it came; it says so in every facts report.
        left_out: packages beyond ADMINSET_PACKAGES_PER_HOST.
        asked_at, asked_by: since when somebody waits for a list, None where nobody does.
    """

    host = models.OneToOneField(
        "cmdb.Host",
        verbose_name=_("host"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="+",
    )
    packages = models.ForeignKey(
        PackageList,
        verbose_name=_("packages"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    manager = models.CharField(_("package manager"), max_length=20, blank=True)
    hash = models.CharField(max_length=64, blank=True)
    left_out = models.PositiveIntegerField(default=0)
    listed_at = models.DateTimeField(_("listed"), null=True, blank=True)
    asked_at = models.DateTimeField(_("asked"), null=True, blank=True, db_index=True)
    asked_by = models.CharField(max_length=150, blank=True)

    objects = HostPackagesQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        permissions = [("ask_hostpackages", "Can ask hosts for their packages")]
        verbose_name = _("packages of a host")
        verbose_name_plural = _("packages of hosts")

    def __str__(self) -> str:
        return str(self.host_id)

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody asked and no list came yet."""
        return self.asked_at is not None and self.asked_at >= given_up_before()


def given_up_before() -> datetime:
    """Give the moment before which a request that nobody answered is given up."""
    return timezone.now() - timedelta(hours=settings.PACKAGES_WAIT_HOURS)

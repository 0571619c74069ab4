"""Software packages that applications need: a file that the portal keeps, or where to get it."""

from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from adminset.measures import filesize_iec
from adminset.querysets import Scope, ScopedQuerySet
from appconf.base_models import Linked
from appconf.checks import check_package_version

HEX_64 = RegexValidator(r"\A[0-9a-f]{64}\Z", _("64 hexadecimal digits."))


class PackageQuerySet(ScopedQuerySet):
    """Packages: no kind of scope leads to them; who may see or fetch them somewhere may do so with all of them."""

    def within(self, scope: Scope, action: str) -> Self:
        """Open all to readers; only who holds the permission everywhere writes."""
        return self.all() if action in ("view", "download") else self.none()


class Package(Linked):
    """A software package in one version. Its bytes lie under their SHA-256 (appconf/package_store.py)."""

    name = models.CharField(_("name"), max_length=100)
    version = models.CharField(
        _("version"), max_length=100, validators=[check_package_version]
    )
    file_name = models.CharField(_("file"), max_length=200, blank=True, editable=False)
    sha256 = models.CharField(
        "SHA-256",
        max_length=64,
        blank=True,
        validators=[HEX_64],
        db_index=True,
        help_text=_("Of an address: what its file must have. Of a file: counted here."),
    )
    size = models.BigIntegerField(_("size"), null=True, blank=True, editable=False)
    url = models.URLField(_("address"), max_length=500, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    objects = PackageQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("software package")
        verbose_name_plural = _("software packages")
        ordering = ["name", "version", "id"]
        permissions = [("download_package", "Can download package")]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "version"],
                name="package_version_once",
                violation_error_message=_("This version is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"

    @property
    def size_words(self) -> str:
        """Its size with a unit; "" where the portal keeps no file."""
        return "" if self.size is None else filesize_iec(self.size)

    size_words.fget.short_description = _("size")  # type: ignore[attr-defined]

    @property
    def has_file(self) -> bool:
        """Whether the portal keeps its file."""
        return bool(self.file_name)

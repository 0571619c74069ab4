"""Operating systems and software: which versions there are, on which hosts, and for how many of them there are licences."""

from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from adminset.querysets import ScopedQuerySet
from cmdb.money import Priced
from cmdb.reference import Linked


def _counted(rows: models.QuerySet, by: str) -> Coalesce:
    """Make a subquery that counts rows, 0 where there are none; `by`: a field that is the same in all of them."""
    grouped = rows.order_by().values(by).annotate(n=Count("pk"))
    return Coalesce(Subquery(grouped.values("n")), 0)


class UsedQuerySet(ScopedQuerySet):
    """Rows about software, with the number of hosts that have it."""

    # Path from the row to its software; "" where it is the software itself.
    software = ""

    def with_use(self, hosts: models.QuerySet, installations: models.QuerySet) -> Self:
        """Add `used_count`: hosts with an installation, and hosts whose agent found this operating system in this version.

        Args:
            hosts, installations: those that count, which are those that the reader may see.
        """
        at = f"{self.software}__" if self.software else ""
        key = OuterRef(f"{at}pk")
        entered = installations.filter(software=key)
        again = installations.filter(
            host=OuterRef("pk"), software=OuterRef(OuterRef(f"{at}pk"))
        )
        found = hosts.exclude(os_name="").filter(
            ~Exists(again),
            os_name=OuterRef(f"{at}name"),
            os_version=OuterRef(f"{at}version"),
        )
        system = models.Case(
            models.When(
                Q(**{f"{at}kind": Software.Kind.SYSTEM}),
                then=_counted(found, "os_name"),
            ),
            default=0,
        )
        counted = self.annotate(
            entered_count=_counted(entered, "software"), found_count=system
        )
        return counted.annotate(used_count=F("entered_count") + F("found_count"))


class UsedThroughSoftware(UsedQuerySet):
    """Licences, with the use of what they are for."""

    software = "software"

    def with_seats(self) -> Self:
        """Add `all_seats` (of all licences of the same software) and `unlimited` (one of them has no limit)."""
        same = Licence.objects.filter(software=OuterRef("software"))
        summed = same.order_by().values("software").annotate(n=models.Sum("seats"))
        return self.annotate(
            all_seats=Coalesce(Subquery(summed.values("n")), 0),
            unlimited=Exists(same.filter(seats=None)),
        )


class Software(Linked):
    """A version of an operating system or of software."""

    class Kind(models.TextChoices):
        """What it is."""

        SYSTEM = "system", _("operating system")
        SOFTWARE = "software", _("software")

    name = models.CharField(
        _("name"),
        max_length=200,
        help_text=_("An operating system: as agents say it, such as Ubuntu."),
    )
    version = models.CharField(_("version"), max_length=100, blank=True)
    kind = models.CharField(
        _("kind"), max_length=20, choices=Kind, default=Kind.SOFTWARE
    )
    vendor = models.CharField(_("vendor"), max_length=200, blank=True)
    supplier = models.ForeignKey(
        "cmdb.Supplier",
        verbose_name=_("supplier"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="software",
    )
    released_on = models.DateField(_("released"), null=True, blank=True)
    end_of_support_on = models.DateField(
        _("end of support"), null=True, blank=True, db_index=True
    )
    owner = models.CharField(_("owner"), max_length=100, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    objects = UsedQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("software")
        verbose_name_plural = _("software")
        ordering = ["name", "version", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "version"],
                name="software_version_once",
                violation_error_message=_("This version is there already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()

    @property
    def used(self) -> int | None:
        """How many hosts that the reader may see have it; None where nobody counted (`with_use`)."""
        return self.__dict__.get("used_count")

    def clean(self) -> None:
        """Refuse a support that ended before the release.

        Raises:
            ValidationError: names the field.
        """
        ends = self.end_of_support_on
        if self.released_on and ends and ends < self.released_on:
            said = gettext("Its support cannot end before its release.")
            raise ValidationError({"end_of_support_on": said})


class Installation(Linked):
    """That a host has some software. Operating systems that agents find are counted from the hosts, never copied here."""

    software = models.ForeignKey(
        "cmdb.Software",
        verbose_name=_("software"),
        on_delete=models.PROTECT,
        related_name="installations",
        # The unique constraint begins with it.
        db_index=False,
    )
    host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        on_delete=models.CASCADE,
        related_name="installations",
    )
    since = models.DateField(_("since"), null=True, blank=True)
    notes = models.CharField(_("notes"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("installation")
        verbose_name_plural = _("installations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["software", "host"],
                name="software_once_on_host",
                violation_error_message=_("This host has this software already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.software} @ {self.host}"


class Licence(Priced):
    """A licence of software for so many hosts. The key is sealed and never shown again."""

    software = models.ForeignKey(
        "cmdb.Software",
        verbose_name=_("software"),
        on_delete=models.PROTECT,
        related_name="licences",
    )
    name = models.CharField(
        _("name"),
        max_length=100,
        blank=True,
        help_text=_("What tells it from other licences of the same software."),
    )
    supplier = models.ForeignKey(
        "cmdb.Supplier",
        verbose_name=_("supplier"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="licences",
    )
    contract = models.ForeignKey(
        "cmdb.Contract",
        verbose_name=_("contract"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="licences",
    )
    seats = models.PositiveIntegerField(
        _("seats"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("How many hosts may have it. Empty: as many as there are."),
    )
    key = EncryptedTextField(_("licence key"))
    expires_on = models.DateField(_("expires"), null=True, blank=True, db_index=True)
    owner = models.CharField(_("owner"), max_length=100, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    objects = UsedThroughSoftware.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("licence")
        verbose_name_plural = _("licences")
        ordering = ["software__name", "software__version", "name", "id"]

    def __str__(self) -> str:
        return f"{self.software} {self.name}".strip()

    @property
    def used(self) -> int | None:
        """How many hosts that the reader may see have the software; None where nobody counted (`with_use`)."""
        return self.__dict__.get("used_count")

    @property
    def over_use(self) -> int:
        """How many hosts more than there are seats have the software; asks for `with_use` and `with_seats`."""
        known = self.__dict__
        if known.get("unlimited", True):
            return 0
        return max(known["used_count"] - known["all_seats"], 0)

    @property
    def badge(self) -> dict[str, Any] | None:
        """Warn in the head of the page where more hosts have it than may."""
        if not self.over_use:
            return None
        said = gettext("%(count)s more hosts than seats") % {"count": self.over_use}
        return {"state": "warning", "label": said}

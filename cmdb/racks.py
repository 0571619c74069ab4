"""Who fills which half unit of which side of a cabinet: two machines never fill the same."""

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from cmdb.reference import Linked

SIDES = {"both": ("front", "rear"), "front": ("front",), "rear": ("rear",)}


class Face(models.TextChoices):
    """Which side of a cabinet something fills."""

    BOTH = "both", _("the whole depth")
    FRONT = "front", _("front")
    REAR = "rear", _("rear")


def unit_field(label: object, **options: object) -> models.DecimalField:
    """Make a field that holds units of a cabinet, halves too."""
    return models.DecimalField(label, max_digits=4, decimal_places=1, **options)  # type: ignore[arg-type]


class CabinetReservation(Linked):
    """Units of a cabinet that are kept free for something."""

    cabinet = models.ForeignKey(
        "cmdb.Cabinet",
        verbose_name=_("cabinet"),
        on_delete=models.CASCADE,
        related_name="reservations",
    )
    name = models.CharField(_("for what"), max_length=100)
    cabinet_unit = unit_field(_("unit (U)"), validators=[MinValueValidator(1)])
    unit_height = unit_field(
        _("height (U)"),
        default=1,
        validators=[MinValueValidator(Decimal("0.5")), MaxValueValidator(100)],
    )
    cabinet_face = models.CharField(
        _("side of the cabinet"), max_length=10, choices=Face, default=Face.BOTH
    )
    until = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("reserved units")
        verbose_name_plural = _("reserved units")
        ordering = ["cabinet", "cabinet_unit", "id"]

    def __str__(self) -> str:
        return self.name


class CabinetSlot(models.Model):
    """One half unit of one side of a cabinet, and what fills it; the database lets nothing fill it twice."""

    cabinet = models.ForeignKey(
        "cmdb.Cabinet", on_delete=models.CASCADE, related_name="slots"
    )
    # 2 is the lower half of unit 1, 3 its upper half, 4 the lower half of unit 2.
    half = models.PositiveSmallIntegerField()
    side = models.CharField(max_length=10)
    host = models.ForeignKey(
        "cmdb.Host", null=True, on_delete=models.CASCADE, related_name="slots"
    )
    reservation = models.ForeignKey(
        "cmdb.CabinetReservation",
        null=True,
        on_delete=models.CASCADE,
        related_name="slots",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cabinet", "half", "side"], name="cabinet_slot_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.cabinet_id}: {self.half / 2:g} {self.side}"


def halves_of(unit: Decimal | None, height: Decimal) -> range:
    """Give the half units that something fills whose lowest unit and height are these; none without a unit or of 0 U."""
    if unit is None:
        return range(0)
    low = int(unit * 2)
    return range(low, low + int(height * 2))

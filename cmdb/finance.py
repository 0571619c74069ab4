"""What may be spent and what was: budgets and costs; no sum mixes two currencies."""

from decimal import Decimal
from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import ExpressionWrapper, F, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from adminset.querysets import ScopedQuerySet
from cmdb.money import Counted, with_currency

SUM = models.DecimalField(max_digits=18, decimal_places=2)
CENT = Decimal("0.01")


class BudgetQuerySet(ScopedQuerySet):
    """Budgets and what is left of them."""

    def with_spent(self) -> Self:
        """Add `spent_sum` from the costs of the budget's own currency, and `left_sum`; other currencies are never mixed in."""
        same = Cost.objects.filter(
            budget=models.OuterRef("pk"), currency=models.OuterRef("currency")
        )
        summed = same.order_by().values("budget").annotate(s=models.Sum("amount"))
        spent = Coalesce(
            Subquery(summed.values("s")), Value(Decimal(0)), output_field=SUM
        )
        left = ExpressionWrapper(F("amount") - F("spent_sum"), output_field=SUM)
        return self.annotate(spent_sum=spent).annotate(left_sum=left)


class Budget(Counted):
    """What may be spent in a year, for a product line or for all."""

    name = models.CharField(_("name"), max_length=100)
    year = models.PositiveSmallIntegerField(
        _("year"), validators=[MinValueValidator(1990), MaxValueValidator(2200)]
    )
    product_line = models.ForeignKey(
        "cmdb.ProductLine",
        verbose_name=_("product line"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="budgets",
    )
    owner = models.CharField(_("owner"), max_length=100, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    objects = BudgetQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        ordering = ["-year", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "year"],
                name="budget_once_a_year",
                violation_error_message=_("This year has a budget of that name."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.year}"

    def clean(self) -> None:
        """Refuse a product line that its costs do not have: who sees the one would learn of the other.

        Raises:
            ValidationError: names the field.
        """
        super().clean()
        line = self.product_line_id
        if self.pk and line and self.costs.exclude(product_line=line).exists():
            said = gettext("It has costs of other product lines.")
            raise ValidationError({"product_line": said})

    def _summed(self, name: str) -> Decimal:
        """Give what `with_spent` found, or ask now; SQLite adds up in floating point, so that the digits are cut here."""
        found: Decimal | None = self.__dict__.get(name)
        if found is None:
            rows = Budget.objects.with_spent().filter(pk=self.pk)
            found = rows.values_list(name, flat=True).get()
        return found.quantize(CENT)

    @property
    def spent(self) -> Decimal:
        """Sum of its costs in its own currency."""
        return self._summed("spent_sum")

    @property
    def left(self) -> Decimal:
        """What is left of it; below nothing when more was spent."""
        return self._summed("left_sum")

    spent_money = with_currency("spent", _("spent"))
    left_money = with_currency("left", _("left"))

    @property
    def badge(self) -> dict[str, str] | None:
        """Say in the head of the page that more was spent than may be."""
        if self.left >= 0:
            return None
        return {"state": "danger", "label": gettext("overspent")}

    def elsewhere(self) -> list[tuple[str, Decimal]]:
        """List (currency, sum) of its costs in other currencies: they count for nothing in `spent`."""
        others = self.costs.exclude(currency=self.currency).order_by("currency")
        return list(others.values_list("currency").annotate(models.Sum("amount")))


class Cost(Counted):
    """Money that was spent on a day."""

    class Kind(models.TextChoices):
        """What money is spent on."""

        HARDWARE = "hardware", _("hardware")
        SOFTWARE = "software", _("software")
        MAINTENANCE = "maintenance", _("maintenance")
        BANDWIDTH = "bandwidth", _("bandwidth")
        SPACE = "space", _("space and power")
        CLOUD = "cloud", _("cloud")
        SERVICE = "service", _("service")
        OTHER = "other", _("other")

    day = models.DateField(_("day"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind, default=Kind.OTHER)
    budget = models.ForeignKey(
        "cmdb.Budget",
        verbose_name=_("budget"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="costs",
        # The index below begins with the budget.
        db_index=False,
    )
    product_line = models.ForeignKey(
        "cmdb.ProductLine",
        verbose_name=_("product line"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="costs",
        db_index=False,
        help_text=_("Empty: that of the budget."),
    )
    supplier = models.ForeignKey(
        "cmdb.Supplier",
        verbose_name=_("supplier"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="costs",
    )
    contract = models.ForeignKey(
        "cmdb.Contract",
        verbose_name=_("contract"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="costs",
    )
    text = models.CharField(_("text"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("cost")
        verbose_name_plural = _("costs")
        ordering = ["-day", "-id"]
        indexes = [
            models.Index(fields=["-day", "-id"], name="cost_order"),
            models.Index(fields=["product_line", "day"], name="cost_of_line"),
            models.Index(fields=["budget", "currency"], name="cost_of_budget"),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.get_kind_display()} {self.money}"

    def clean(self) -> None:
        """Take the product line of the budget; refuse another one.

        Raises:
            ValidationError: names the field.
        """
        super().clean()
        line = self.budget.product_line if self.budget else None
        if line is None:
            return
        if self.product_line is None:
            self.product_line = line
        elif self.product_line_id != line.pk:
            said = gettext("The budget is that of %(line)s.") % {"line": line}
            raise ValidationError({"product_line": said})

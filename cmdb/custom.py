"""Fields that a team adds to kinds of assets: declared once, typed, checked wherever a value is entered."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from cmdb.reference import Linked

# Kinds of assets that can have further fields: those whose model is an Asset.
KINDS = (("cmdb.host", _("host")),)
PREFIX = "custom_"


class CustomField(Linked):
    """One further field of one kind of asset."""

    class Type(models.TextChoices):
        """What a value is."""

        TEXT = "text", _("text")
        NUMBER = "number", _("number")
        DATE = "date", _("date")
        CHOICE = "choice", _("choice")
        BOOLEAN = "boolean", _("yes or no")
        URL = "url", _("link")
        REFERENCE = "reference", _("object")

    kind = models.CharField(_("kind of asset"), max_length=50, choices=KINDS)
    key = models.CharField(
        _("key"),
        max_length=30,
        validators=[
            RegexValidator(
                r"\A[a-z][a-z0-9_]*\Z",
                _("Small letters, digits and _; a letter comes first."),
            )
        ],
        help_text=_("How imports and the API call it, behind custom_."),
    )
    label = models.CharField(_("label"), max_length=100)
    type = models.CharField(_("type"), max_length=10, choices=Type, default=Type.TEXT)
    choices = models.TextField(
        _("choices"), blank=True, help_text=_("One on each line, for a choice.")
    )
    minimum = models.DecimalField(
        _("smallest"),
        max_digits=20,
        decimal_places=6,
        null=True,
        blank=True,
        help_text=_("Of a number; of a text: how many characters."),
    )
    maximum = models.DecimalField(
        _("largest"), max_digits=20, decimal_places=6, null=True, blank=True
    )
    reference = models.CharField(
        _("kind of object"),
        max_length=50,
        blank=True,
        help_text=_("For an object: such as cmdb.contact or cmdb.host."),
    )
    required = models.BooleanField(_("required"), default=False)
    help_text = models.CharField(_("help"), max_length=250, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")
        ordering = ["kind", "position", "label", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"],
                name="custom_field_once",
                violation_error_message=_(
                    "This kind of asset already has a field of that key."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def form_name(self) -> str:
        """Name of its box in the form of the asset."""
        return f"{PREFIX}{self.key}"

    @property
    def listed_choices(self) -> list[str]:
        """List the choices."""
        return [line.strip() for line in self.choices.splitlines() if line.strip()]

    def clean(self) -> None:
        """Check that the type has what it needs.

        Raises:
            ValidationError: names what lacks.
        """
        if self.type == self.Type.CHOICE and not self.listed_choices:
            raise ValidationError({"choices": _("Enter at least one choice.")})
        if (
            self.minimum is not None
            and self.maximum is not None
            and self.minimum > self.maximum
        ):
            raise ValidationError({"maximum": _("It is smaller than the smallest.")})


def fields_of(model: type[models.Model]) -> list[CustomField]:
    """Give the further fields of a kind of asset, in the order of the page."""
    return list(CustomField.objects.filter(kind=model._meta.label_lower))


def described(asset: models.Model) -> list[dict[str, object]]:
    """List {label, value} of an asset's further fields that hold something; an object is named where it still exists."""
    rows = []
    values: dict[str, object] = getattr(asset, "custom", {})
    for field in fields_of(type(asset)):
        value = values.get(field.key)
        if value is None:
            continue
        if field.type == CustomField.Type.BOOLEAN:
            value = _("yes") if value else _("no")
        elif field.type == CustomField.Type.REFERENCE:
            value = f"#{value}"
        rows.append({"label": field.label, "value": value, "agent_says": None})
    return rows

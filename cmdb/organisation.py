"""Whom and what assets belong to: people, product lines, regions and branches, suppliers, tags."""

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from cmdb.reference import AssetStatus, Linked

currency_code = RegexValidator(r"\A[A-Z]{3}\Z", _("Three letters, such as CNY or EUR."))


class Contact(Linked):
    """Somebody who owns assets or answers for them; assets name the owner, this says how to reach him."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    email = models.EmailField(_("e-mail"), blank=True)
    phone = models.CharField(_("phone"), max_length=50, blank=True)
    wechat = models.CharField(_("WeChat"), max_length=50, blank=True)
    qq = models.CharField("QQ", max_length=50, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ProductLine(Linked):
    """A product line: what the assets work for; applications belong to it too."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    code = models.SlugField(_("code"), max_length=50, unique=True)
    owner = models.CharField(_("owner"), max_length=100, blank=True)
    description = models.TextField(_("description"), blank=True)

    class Meta:
        verbose_name = _("product line")
        verbose_name_plural = _("product lines")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Region(Linked):
    """A region in which a company has branches and data centres."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=50, blank=True)
    owner = models.CharField(_("owner"), max_length=100, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Branch(Linked):
    """A branch office: it holds assets and contracts."""

    region = models.ForeignKey(
        "cmdb.Region",
        verbose_name=_("region"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="branches",
    )
    name = models.CharField(_("name"), max_length=100, unique=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    phone = models.CharField(_("phone"), max_length=50, blank=True)
    owner = models.CharField(_("owner"), max_length=100, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("branch")
        verbose_name_plural = _("branches")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Supplier(Linked):
    """Who sells, leases or maintains: hardware, lines, domains, software."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    contact = models.CharField(_("contact"), max_length=100, blank=True)
    phone = models.CharField(_("phone"), max_length=50, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    website = models.URLField(_("website"), blank=True)
    service_phone = models.CharField(_("service phone"), max_length=50, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("supplier")
        verbose_name_plural = _("suppliers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tag(Linked):
    """A word that people put on assets of any kind."""

    name = models.SlugField(_("name"), max_length=50, unique=True, allow_unicode=True)
    state = models.CharField(
        _("colour"),
        max_length=10,
        choices=AssetStatus.State,
        default=AssetStatus.State.IDLE,
    )
    description = models.CharField(_("description"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Asset(Linked):
    """What every kind of asset has: an owner, a product line, tags, and the fields that the team added."""

    owner = models.CharField(_("owner"), max_length=100, blank=True)
    product_line = models.ForeignKey(
        "cmdb.ProductLine",
        verbose_name=_("product line"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)ss",
    )
    tags = models.ManyToManyField(
        "cmdb.Tag", verbose_name=_("tags"), blank=True, related_name="%(class)ss"
    )
    # Key of a custom field -> value, typed and checked by that field's declaration.
    custom = models.JSONField(
        _("custom fields"), default=dict, blank=True, editable=False
    )
    # What people write past the form's own boxes, so that a revert brings it back (adminset/crud/plan.py).
    restored_fields: ClassVar[tuple[str, ...]] = ("custom",)

    class Meta:
        abstract = True

"""What hosts refer to: data centres, cabinets, statuses, groups and credentials; models.py gives them to the others."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from adminset.models import Timestamped

HOST_GROUP_SCOPE = "cmdb.hostgroup"
port_range = [MinValueValidator(1), MaxValueValidator(65535)]


class Linked(Timestamped):
    """A row with a page of its own."""

    class Meta:
        abstract = True

    def get_absolute_url(self) -> str:
        """Give the address of the row's page."""
        return reverse(f"cmdb:{self._meta.model_name}_detail", args=[self.pk])


class Idc(Linked):
    """A data centre (IDC)."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    code = models.SlugField(_("code"), max_length=30, unique=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    contact = models.CharField(_("contact"), max_length=100, blank=True)
    phone = models.CharField(_("phone"), max_length=50, blank=True)
    bandwidth = models.CharField(_("bandwidth"), max_length=100, blank=True)
    address_ranges = models.TextField(_("address ranges"), blank=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("IDC")
        verbose_name_plural = _("IDCs")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class Cabinet(Linked):
    """A cabinet in an IDC."""

    idc = models.ForeignKey(
        "cmdb.Idc",
        verbose_name=_("IDC"),
        on_delete=models.PROTECT,
        related_name="cabinets",
    )
    name = models.CharField(_("name"), max_length=100)
    units = models.PositiveSmallIntegerField(
        _("height (U)"),
        default=42,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    power_watts = models.PositiveIntegerField(_("power (W)"), null=True, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("cabinet")
        verbose_name_plural = _("cabinets")
        ordering = ["idc__name", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["idc", "name"],
                name="cabinet_once_in_idc",
                violation_error_message=_(
                    "This IDC already has a cabinet of that name."
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.idc} / {self.name}"


class AssetStatus(Linked):
    """A status that an asset may have, as the team names it."""

    class State(models.TextChoices):
        """The five colours that pages know."""

        OK = "ok", _("green")
        WARNING = "warning", _("yellow")
        DANGER = "danger", _("red")
        IDLE = "idle", _("grey")
        BUSY = "busy", _("blue")

    name = models.CharField(_("name"), max_length=50, unique=True)
    state = models.CharField(
        _("colour"), max_length=10, choices=State, default=State.OK
    )
    monitored = models.BooleanField(
        _("expects an agent"),
        default=True,
        help_text=_("A host of this status that sends nothing is shown as silent."),
    )
    next_statuses = models.ManyToManyField(
        "cmdb.AssetStatus",
        verbose_name=_("may become"),
        blank=True,
        symmetrical=False,
        related_name="previous_statuses",
        help_text=_("Empty: any other status."),
    )

    class Meta:
        verbose_name = _("asset status")
        verbose_name_plural = _("asset statuses")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class HostGroup(Linked):
    """Hosts that belong together: a target, a scope, an inventory group.

    A static group keeps a list of hosts; a dynamic one has a filter (`rule`), asked of the database each time
    (cmdb/membership.py). Which of the two it is stays: a grant on a list must not become one on a filter.
    """

    class Kind(models.TextChoices):
        """How hosts come to belong to a group."""

        STATIC = "static", _("static")
        DYNAMIC = "dynamic", _("dynamic")

    name = models.CharField(
        _("name"),
        max_length=100,
        unique=True,
        validators=[
            RegexValidator(r"\A[\w.-]+\Z", _("Letters, digits and . - _ only."))
        ],
    )
    description = models.CharField(_("description"), max_length=250, blank=True)
    kind = models.CharField(
        _("members"), max_length=10, choices=Kind, default=Kind.STATIC
    )
    # Parameter of the host list -> values, as cmdb/group_rules.py reads them; empty for a static group.
    rule = models.JSONField(_("filter"), default=dict, blank=True)

    # How many hosts belong to it that the reader may see: lists count them.
    host_count: int | None = None

    class Meta:
        verbose_name = _("host group")
        verbose_name_plural = _("host groups")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_dynamic(self) -> bool:
        """Whether hosts come and go by a filter."""
        return self.kind == self.Kind.DYNAMIC


class Credential(Linked):
    """How to sign in on a host. The secrets are sealed and never shown again."""

    class Become(models.TextChoices):
        """How to become another user there."""

        NONE = "", _("not at all")
        SUDO = "sudo", "sudo"

    name = models.CharField(_("name"), max_length=100, unique=True)
    username = models.CharField(
        _("user name"),
        max_length=64,
        default="root",
        validators=[RegexValidator(r"\A[A-Za-z_][\w.@-]*\Z", _("A login name."))],
    )
    port = models.PositiveIntegerField(_("port"), default=22, validators=port_range)
    password = EncryptedTextField(_("password"))
    private_key = EncryptedTextField(_("private key"))
    passphrase = EncryptedTextField(_("passphrase of the key"))
    become_method = models.CharField(
        _("become root by"),
        max_length=10,
        choices=Become,
        default=Become.NONE,
        blank=True,
    )
    become_password = EncryptedTextField(_("password for that"))
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        ordering = ["name"]
        permissions = [("use_credential", "Can use credential")]

    def __str__(self) -> str:
        return self.name

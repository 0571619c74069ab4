"""What a machine is made of: network interfaces and disks, as agents find them or people write them down."""

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from cmdb.reference import Linked

mac_address = RegexValidator(
    r"\A[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5,19}\Z",
    _("A MAC address such as 3c:ec:ef:00:11:22."),
)


class Part(Linked):
    """A part of a host. One that the agent no longer finds is marked absent, never deleted."""

    host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        on_delete=models.CASCADE,
        related_name="%(class)ss",
        # The unique constraint of each kind of part begins with the host.
        db_index=False,
    )
    found_by_agent = models.BooleanField(
        _("found by the agent"), default=False, editable=False
    )
    absent_since = models.DateTimeField(
        _("absent since"), null=True, blank=True, editable=False, db_index=True
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.host}: {self.name}"  # type: ignore[attr-defined]


class Nic(Part):
    """A network interface."""

    class Kind(models.TextChoices):
        """Kinds of interface."""

        PHYSICAL = "physical", _("physical")
        VIRTUAL = "virtual", _("virtual")
        BOND = "bond", _("bond")
        BRIDGE = "bridge", _("bridge")
        VLAN = "vlan", _("VLAN")
        TUNNEL = "tunnel", _("tunnel")
        INNER = "inner", _("network inside the machine")
        OTHER = "other", _("other")

    class State(models.TextChoices):
        """Whether it carries traffic."""

        UP = "up", _("up")
        DOWN = "down", _("down")
        UNKNOWN = "", _("unknown")

    name = models.CharField(_("name"), max_length=64)
    mac = models.CharField(
        _("MAC"), max_length=59, blank=True, validators=[mac_address]
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=Kind, default=Kind.PHYSICAL
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.UNKNOWN, blank=True
    )
    speed_mbps = models.PositiveIntegerField(_("speed (Mbit/s)"), null=True, blank=True)
    mtu = models.PositiveIntegerField(_("MTU (bytes)"), null=True, blank=True)
    # [{"address", "prefix"}] as the agent found them; what is registered of them is an IpAddress.
    addresses = models.JSONField(
        _("addresses"), default=list, blank=True, editable=False
    )
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("network interface")
        verbose_name_plural = _("network interfaces")
        # By the key of the host and not by its name: a million rows are read along an index, not sorted.
        ordering = ["host_id", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["host", "name"],
                name="nic_once_on_host",
                violation_error_message=_("This host has an interface of that name."),
            )
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="nic_by_name"),
            models.Index(fields=["mac", "id"], name="nic_by_mac"),
        ]

    def clean(self) -> None:
        """Write the MAC address the usual way."""
        self.mac = self.mac.lower().replace("-", ":")

    @property
    def badge(self) -> dict[str, str]:
        """Give the state as the head of the page draws it."""
        return {"state": self.colour, "label": self.word}

    @property
    def colour(self) -> str:
        """Colour of the state."""
        if self.absent_since:
            return "warning"
        return "ok" if self.state == self.State.UP else "idle"

    @property
    def word(self) -> str:
        """The state in a word."""
        return str(_("absent") if self.absent_since else self.get_state_display())


class Disk(Part):
    """A whole disk."""

    class Kind(models.TextChoices):
        """Kinds of disk."""

        SSD = "ssd", _("solid state")
        HDD = "hdd", _("rotating")
        UNKNOWN = "", _("unknown")

    name = models.CharField(_("name"), max_length=200)
    size_bytes = models.BigIntegerField(
        _("size (bytes)"), null=True, blank=True, validators=[MinValueValidator(0)]
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=Kind, default=Kind.UNKNOWN, blank=True
    )
    model = models.CharField(_("model"), max_length=200, blank=True)
    serial = models.CharField(_("serial number"), max_length=200, blank=True)
    notes = models.TextField(_("notes"), blank=True)

    class Meta:
        verbose_name = _("disk")
        verbose_name_plural = _("disks")
        ordering = ["host_id", "name", "serial"]
        constraints = [
            # A disk that took the place of an absent one bears its name, but another serial number.
            models.UniqueConstraint(
                fields=["host", "name", "serial"],
                name="disk_once_on_host",
                violation_error_message=_(
                    "This host has a disk of that name and serial number."
                ),
            )
        ]
        indexes = [
            models.Index(fields=["name", "id"], name="disk_by_name"),
            models.Index(fields=["serial", "id"], name="disk_by_serial"),
        ]

    @property
    def badge(self) -> dict[str, str] | None:
        """Say in the head of the page that the agent no longer finds it."""
        absent = {"state": "warning", "label": str(_("absent"))}
        return absent if self.absent_since else None

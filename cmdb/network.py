"""Networks: subnets that do not overlap, and the addresses in them."""

import ipaddress
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from adminset.querysets import ScopedQuerySet
from cmdb import addresses
from cmdb.addresses import Network, Span
from cmdb.organisation import Asset
from cmdb.reference import Linked


class SubnetQuerySet(ScopedQuerySet):
    """Subnets by the addresses that they hold."""

    def holding(self, area: str, first_key: str, last_key: str = "") -> Self:
        """Narrow to those of an area that hold a range (or one address), the innermost first."""
        found = self.filter(
            area=area, first_key__lte=first_key, last_key__gte=last_key or first_key
        )
        return found.order_by("-first_key", "last_key")

    def inside(self, subnet: "Subnet") -> Self:
        """Narrow to the other subnets that lie within a subnet."""
        found = self.filter(
            area=subnet.area,
            first_key__gte=subnet.first_key,
            first_key__lte=subnet.last_key,
            last_key__lte=subnet.last_key,
        )
        return found.exclude(pk=subnet.pk)


class Subnet(Asset):
    """A range of addresses in an area; it may lie within another only where that one is a container."""

    cidr = models.CharField(
        _("network (CIDR)"), max_length=43, help_text=_("Such as 10.1.2.0/24.")
    )
    area = models.CharField(
        _("area (VRF)"),
        max_length=50,
        blank=True,
        help_text=_(
            "Networks of different areas may use the same addresses. Empty: the area that all share."
        ),
    )
    name = models.CharField(_("name"), max_length=100, blank=True)
    vlan = models.PositiveSmallIntegerField(
        _("VLAN"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(4094)],
    )
    idc = models.ForeignKey(
        "cmdb.Idc",
        verbose_name=_("IDC"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="subnets",
    )
    gateway = models.GenericIPAddressField(_("gateway"), null=True, blank=True)
    is_container = models.BooleanField(
        _("container"),
        default=False,
        help_text=_("Holds other subnets; gives out no addresses of its own."),
    )
    notes = models.TextField(_("notes"), blank=True)
    prefix_length = models.PositiveSmallIntegerField(
        _("prefix length"), editable=False, default=0
    )
    first_key = models.CharField(max_length=addresses.KEY_LENGTH, editable=False)
    last_key = models.CharField(max_length=addresses.KEY_LENGTH, editable=False)

    objects = SubnetQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("subnet")
        verbose_name_plural = _("subnets")
        ordering = ["first_key", "prefix_length", "area"]
        constraints = [
            models.UniqueConstraint(
                fields=["area", "cidr"],
                name="subnet_once_in_area",
                violation_error_message=_("This area has this subnet already."),
            )
        ]
        indexes = [
            models.Index(
                fields=["area", "first_key", "last_key"], name="subnet_ranges"
            ),
            models.Index(
                fields=["first_key", "prefix_length", "area"], name="subnet_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cidr} ({self.area})" if self.area else self.cidr

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep the sort keys in step with the network."""
        self._settle()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Refuse what is no network, a gateway outside it, and an overlap.

        Raises:
            ValidationError: names the field.
        """
        self.area, self.gateway = self.area.strip(), self.gateway or None
        if not self.cidr.strip():
            return
        try:
            self._settle()
        except ValueError as error:
            why = gettext("This is not a network such as 10.1.2.0/24: %(why)s")
            raise ValidationError({"cidr": why % {"why": error}}) from error
        if self.gateway and addresses.read(self.gateway) not in self.network:
            raise ValidationError(
                {"gateway": gettext("The gateway lies outside the network.")}
            )
        other = self._in_the_way()
        if other is not None:
            said = gettext(
                "It overlaps with %(other)s. Only a container may hold other subnets."
            )
            raise ValidationError({"cidr": said % {"other": other}})

    def _settle(self) -> None:
        self.__dict__.pop("network", None)
        network = self.network
        self.cidr, self.prefix_length = str(network), network.prefixlen
        self.first_key = addresses.key_of(network.network_address)
        self.last_key = addresses.key_of(network.broadcast_address)

    def _in_the_way(self) -> "Subnet | None":
        others = Subnet.objects.exclude(pk=self.pk)
        around = others.holding(self.area, self.first_key, self.last_key)
        found = around.filter(is_container=False).exclude(cidr=self.cidr).first()
        if found is None and not self.is_container:
            found = others.inside(self).exclude(cidr=self.cidr).first()
        return found

    @cached_property
    def network(self) -> Network:
        """The network as Python knows it."""
        text = self.cidr.strip()
        if "%" in text:
            raise ValueError(text)
        return ipaddress.ip_network(text)

    @property
    def span(self) -> Span:
        """The addresses that machines can have."""
        return addresses.usable(self.network)

    @property
    def total_addresses(self) -> int:
        """How many addresses machines can have."""
        return self.span.size


class IpAddress(Linked):
    """An address that is taken or kept back; one that nobody wrote down is free."""

    class Status(models.TextChoices):
        """What an address is for."""

        IN_USE = "in_use", _("in use")
        RESERVED = "reserved", _("reserved")
        DHCP = "dhcp", _("given out by DHCP")
        FREE = "free", _("free")

    address = models.GenericIPAddressField(_("address"), unpack_ipv4=True)
    area = models.CharField(_("area (VRF)"), max_length=50, blank=True)
    key = models.CharField(max_length=addresses.KEY_LENGTH, editable=False)
    subnet = models.ForeignKey(
        "cmdb.Subnet",
        verbose_name=_("subnet"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="addresses",
        db_index=False,
    )
    name = models.CharField(_("name"), max_length=253, blank=True)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.IN_USE
    )
    host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="addresses",
    )
    nic = models.ForeignKey(
        "cmdb.Nic",
        verbose_name=_("network interface"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="registered",
    )
    notes = models.TextField(_("notes"), blank=True)
    found_by_agent = models.BooleanField(
        _("found by the agent"), default=False, editable=False
    )
    absent_since = models.DateTimeField(
        _("absent since"), null=True, blank=True, editable=False, db_index=True
    )

    class Meta:
        verbose_name = _("IP address")
        verbose_name_plural = _("IP addresses")
        ordering = ["key", "id"]
        constraints = [
            models.UniqueConstraint(fields=["area", "key"], name="address_once_in_area")
        ]
        indexes = [
            models.Index(fields=["key", "id"], name="address_order"),
            # Answers how full a subnet is, and draws it, without a look at the table.
            models.Index(fields=["subnet", "key", "status"], name="address_of_subnet"),
            models.Index(fields=["status", "key"], name="address_by_status"),
            models.Index(fields=["name", "id"], name="address_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.address} ({self.area})" if self.area else str(self.address)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Find the sort key and the subnet."""
        self.place()
        super().save(*args, **kwargs)

    def place(self) -> None:
        """Set the sort key, and the innermost subnet of the area that holds the address."""
        found = addresses.read(str(self.address))
        self.address, key = str(found), addresses.key_of(found)
        self.key, self.subnet = key, Subnet.objects.holding(self.area, key).first()

    def clean(self) -> None:
        """Refuse a second row of an address, and an interface of another host.

        Raises:
            ValidationError: names the field.
        """
        self.area = self.area.strip()
        if self.nic is not None and self.host is None:
            self.host = self.nic.host
        if self.nic is not None and self.nic.host_id != self.host_id:
            raise ValidationError(
                {"nic": gettext("This interface belongs to another host.")}
            )
        if not self.address:
            return
        key = addresses.key_of(addresses.read(str(self.address)))
        same = IpAddress.objects.filter(area=self.area, key=key).exclude(pk=self.pk)
        if same.exists():
            raise ValidationError(
                {"address": gettext("This area has this address already.")}
            )

    @property
    def badge(self) -> dict[str, str]:
        """Give the status as the head of the page draws it."""
        return {"state": self.colour, "label": self.word}

    @property
    def colour(self) -> str:
        """Colour of the status."""
        if self.absent_since:
            return "warning"
        return {"in_use": "ok", "free": "idle"}.get(self.status, "busy")

    @property
    def word(self) -> str:
        """The status in words."""
        return str(_("absent") if self.absent_since else self.get_status_display())

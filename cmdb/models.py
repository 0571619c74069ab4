"""What exists: hosts; what they refer to, belong to and are known by comes from the modules beside."""

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from adminset.querysets import ScopedQuerySet
from cmdb.agent_models import (
    Agent,
    EnrolmentToken,
    new_agent_id,
    silent_before,
)
from cmdb.contracts import Contract, Purchase
from cmdb.custom import CustomField
from cmdb.expiry import Expiry
from cmdb.finance import Budget, Cost
from cmdb.hardware import Disk, Nic
from cmdb.identity_models import (
    FieldSource,
    HostIdentifier,
    IdentityConflict,
    Source,
)
from cmdb.legacy_models import LegacyMachine
from cmdb.lines import BandwidthLine
from cmdb.names import CdnDomain, Certificate, DomainName
from cmdb.network import IpAddress, Subnet
from cmdb.organisation import (
    Asset,
    Branch,
    Contact,
    ProductLine,
    Region,
    Supplier,
    Tag,
    currency_code,
)
from cmdb.racks import CabinetReservation, CabinetSlot, Face, unit_field
from cmdb.reference import (
    HOST_GROUP_SCOPE,
    AssetStatus,
    Cabinet,
    Credential,
    HostGroup,
    Idc,
    port_range,
)
from cmdb.relations import Relation, RelationKind
from cmdb.software import Installation, Licence, Software
from cmdb.virtual import Cluster
from cmdb.zones import DnsRecord, DnsZone

__all__ = [
    "HOST_GROUP_SCOPE",
    "Agent",
    "Asset",
    "AssetStatus",
    "BandwidthLine",
    "Branch",
    "Budget",
    "Cabinet",
    "CabinetReservation",
    "CabinetSlot",
    "CdnDomain",
    "Certificate",
    "Cluster",
    "Contact",
    "Contract",
    "Cost",
    "Credential",
    "CustomField",
    "Disk",
    "DnsRecord",
    "DnsZone",
    "DomainName",
    "EnrolmentToken",
    "Expiry",
    "FieldSource",
    "GroupMembership",
    "Host",
    "HostGroup",
    "HostIdentifier",
    "Idc",
    "IdentityConflict",
    "Installation",
    "IpAddress",
    "LegacyMachine",
    "Licence",
    "Nic",
    "ProductLine",
    "Purchase",
    "Region",
    "Relation",
    "RelationKind",
    "Software",
    "Source",
    "Subnet",
    "Supplier",
    "Tag",
    "new_agent_id",
    "silent_before",
]


class HostQuerySet(ScopedQuerySet):
    """Hosts by who may see them and how they feel."""

    def for_list(self) -> Self:
        """Bring along what a row of the list shows."""
        return self.select_related(
            "idc", "cabinet__idc", "status", "agent", "credential"
        ).prefetch_related("groups")

    def reporting(self) -> Self:
        """Narrow to hosts whose agent sent something lately."""
        return self.filter(
            agent__revoked_at=None, agent__last_seen_at__gt=silent_before()
        )

    def without_agent(self) -> Self:
        """Narrow to hosts that no agent speaks for."""
        return self.filter(
            models.Q(agent=None) | models.Q(agent__revoked_at__isnull=False)
        )

    def silent(self) -> Self:
        """Narrow to hosts whose agent has stopped sending though their status expects it."""
        live = self.filter(agent__revoked_at=None, agent__isnull=False)
        expected = live.exclude(status__monitored=False)
        return expected.exclude(agent__last_seen_at__gt=silent_before())


class Host(Asset):
    """A machine: what people say of it, and what its agent found."""

    class Kind(models.TextChoices):
        """Kinds of machine."""

        PHYSICAL = "physical", _("physical")
        VIRTUAL = "virtual", _("virtual")
        CONTAINER = "container", _("container")
        NETWORK = "network", _("network device")
        SECURITY = "security", _("security device")
        STORAGE = "storage", _("storage")
        OTHER = "other", _("other")

    hostname = models.CharField(_("host name"), max_length=253, db_index=True)
    address = models.GenericIPAddressField(
        _("management address"), null=True, blank=True
    )
    ssh_port = models.PositiveIntegerField(
        _("SSH port"),
        null=True,
        blank=True,
        validators=port_range,
        help_text=_("Empty: the port of the credential."),
    )
    kind = models.CharField(
        _("kind"), max_length=20, choices=Kind, default=Kind.PHYSICAL
    )
    status = models.ForeignKey(
        "cmdb.AssetStatus",
        verbose_name=_("status"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="hosts",
    )
    idc = models.ForeignKey(
        "cmdb.Idc",
        verbose_name=_("IDC"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="hosts",
    )
    cabinet = models.ForeignKey(
        "cmdb.Cabinet",
        verbose_name=_("cabinet"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="hosts",
    )
    cabinet_unit = unit_field(
        _("unit (U)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("The lowest unit that it fills; halves are allowed."),
    )
    unit_height = unit_field(
        _("height (U)"),
        default=1,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("0: it hangs at the side and fills no unit."),
    )
    cabinet_face = models.CharField(
        _("side of the cabinet"), max_length=10, choices=Face, default=Face.BOTH
    )
    branch = models.ForeignKey(
        "cmdb.Branch",
        verbose_name=_("branch"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="hosts",
    )
    cluster = models.ForeignKey(
        "cmdb.Cluster",
        verbose_name=_("cluster"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="hosts",
    )
    hypervisor = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("runs on"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="guests",
    )
    groups = models.ManyToManyField(
        "cmdb.HostGroup",
        verbose_name=_("groups"),
        blank=True,
        related_name="hosts",
        through="cmdb.GroupMembership",
    )
    credential = models.ForeignKey(
        "cmdb.Credential",
        verbose_name=_("credential"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="hosts",
    )
    host_key = models.TextField(_("accepted host key"), blank=True, editable=False)
    asset_number = models.CharField(_("asset number"), max_length=100, blank=True)
    purchased_on = models.DateField(_("purchased"), null=True, blank=True)
    warranty_until = models.DateField(_("warranty until"), null=True, blank=True)
    supplier = models.ForeignKey(
        "cmdb.Supplier",
        verbose_name=_("supplier"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="hosts",
    )
    price = models.DecimalField(
        _("price"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    currency = models.CharField(
        _("currency"), max_length=3, blank=True, validators=[currency_code]
    )
    notes = models.TextField(_("notes"), blank=True)

    vendor = models.CharField(_("vendor"), max_length=200, blank=True)
    product = models.CharField(_("product"), max_length=200, blank=True)
    serial = models.CharField(
        _("serial number"), max_length=200, blank=True, db_index=True
    )
    os_name = models.CharField(_("operating system"), max_length=200, blank=True)
    os_version = models.CharField(_("OS version"), max_length=100, blank=True)
    kernel = models.CharField(_("kernel"), max_length=200, blank=True)
    architecture = models.CharField(_("architecture"), max_length=50, blank=True)
    cpu_model = models.CharField(_("CPU model"), max_length=200, blank=True)
    cpu_threads = models.PositiveIntegerField(_("CPU (threads)"), null=True, blank=True)
    memory_bytes = models.BigIntegerField(_("memory"), null=True, blank=True)
    swap_bytes = models.BigIntegerField(_("swap"), null=True, blank=True)
    disk_bytes = models.BigIntegerField(_("disks"), null=True, blank=True)
    facts = models.JSONField(_("facts"), default=dict, blank=True, editable=False)
    locked_fields = models.JSONField(
        _("kept as people set them"), default=list, blank=True, editable=False
    )
    disputed = models.BooleanField(
        _("disputed"),
        default=False,
        editable=False,
        help_text=_("Sources say different things of it, or who it is."),
    )

    objects = HostQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        ordering = ["hostname", "id"]
        indexes = [
            models.Index(fields=["hostname", "id"], name="host_order"),
            models.Index(fields=["address", "id"], name="host_by_address"),
            # How many hosts run a release, and whose warranty ends when, without a look at every host.
            models.Index(fields=["os_name", "os_version"], name="host_release"),
            models.Index(fields=["warranty_until"], name="host_warranty"),
            models.Index(fields=["disputed", "hostname", "id"], name="host_disputed"),
            # What changed last: by it the inventory knows that nothing did (cmdb/inventory_state.py).
            models.Index(fields=["updated_at"], name="host_updated"),
        ]
        permissions = [
            ("run_host", "Can run work on host"),
            ("terminal_host", "Can open a terminal on host"),
            ("transfer_host", "Can send files to host and fetch them"),
            ("browsefiles_host", "Can look into the folders of host"),
            ("uploadfile_host", "Can upload new files to host"),
            ("downloadfile_host", "Can read and download files of host"),
            ("editfile_host", "Can change, replace and rename files of host"),
            ("deletefile_host", "Can move files of host into the waste"),
            ("purgefile_host", "Can remove files of host for good"),
        ]

    def __str__(self) -> str:
        return self.hostname

    @property
    def badge(self) -> dict[str, str] | None:
        """Give the status as the head of the page draws it."""
        status = self.status
        return {"state": status.state, "label": status.name} if status else None

    @property
    def port(self) -> int:
        """Port on which sshd listens: the host's own, else the credential's, else 22."""
        return self.ssh_port or (self.credential.port if self.credential else 22)


class GroupMembership(models.Model):
    """That a host belongs to a group."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE)
    hostgroup = models.ForeignKey("cmdb.HostGroup", on_delete=models.CASCADE)

    class Meta:
        db_table = "cmdb_host_groups"
        unique_together = (("host", "hostgroup"),)
        indexes = [
            # Answers "the hosts of these groups" without a look at the table: every list of a scoped user asks it.
            models.Index(fields=["hostgroup", "host"], name="cmdb_members_of_a_group")
        ]

    def __str__(self) -> str:
        return f"{self.host_id} in {self.hostgroup_id}"

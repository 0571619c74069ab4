"""What exists: hosts, which agent speaks for each, by what evidence a machine is known."""

import secrets
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.networks import NetworksField
from adminset.querysets import ScopedQuerySet
from cmdb.reference import (
    HOST_GROUP_SCOPE,
    AssetStatus,
    Cabinet,
    Credential,
    HostGroup,
    Idc,
    Linked,
    port_range,
)

__all__ = [
    "HOST_GROUP_SCOPE",
    "Agent",
    "AssetStatus",
    "Cabinet",
    "Credential",
    "EnrolmentToken",
    "Host",
    "HostGroup",
    "HostIdentifier",
    "Idc",
]


def silent_before() -> datetime:
    """Give the moment before which a last report means silence."""
    return timezone.now() - timedelta(seconds=settings.AGENT_SILENT_SECONDS)


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


class Host(Linked):
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
    cabinet_unit = models.PositiveSmallIntegerField(
        _("unit (U)"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    groups = models.ManyToManyField(
        "cmdb.HostGroup",
        verbose_name=_("groups"),
        blank=True,
        related_name="hosts",
        through="cmdb.GroupMembership",
    )
    owner = models.CharField(_("owner"), max_length=100, blank=True)
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

    objects = HostQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("host")
        verbose_name_plural = _("hosts")
        ordering = ["hostname", "id"]
        indexes = [models.Index(fields=["hostname", "id"], name="host_order")]
        permissions = [
            ("run_host", "Can run work on host"),
            ("terminal_host", "Can open a terminal on host"),
            ("transfer_host", "Can send files to host and fetch them"),
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


def new_agent_id() -> str:
    """Make a public id for an agent: 32 hex digits."""
    return secrets.token_hex(16)


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


class AgentQuerySet(ScopedQuerySet):
    """Agents by what became of them; they are seen with their hosts."""

    def waiting(self) -> Self:
        """Narrow to agents that nobody has let in or refused yet."""
        return self.filter(approved_at=None, revoked_at=None)


class Agent(Linked):
    """The identity under which a machine reports: given by the portal, never taken from a host name."""

    public_id = models.CharField(
        _("agent id"), max_length=32, unique=True, default=new_agent_id
    )
    secret_hash = models.CharField(max_length=64, editable=False)
    host = models.OneToOneField(
        "cmdb.Host",
        verbose_name=_("host"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="agent",
    )
    identity = models.JSONField(_("identity"), default=dict, blank=True, editable=False)
    version = models.CharField(_("version"), max_length=50, blank=True)
    boot_id = models.CharField(_("boot id"), max_length=64, blank=True)
    address = models.GenericIPAddressField(_("reports from"), null=True, blank=True)
    enrolment_token = models.ForeignKey(
        "cmdb.EnrolmentToken",
        verbose_name=_("enrolled with"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    enrolled_at = models.DateTimeField(_("enrolled"), default=timezone.now)
    facts_hash = models.CharField(max_length=64, blank=True, editable=False)
    facts_at = models.DateTimeField(_("facts received"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), null=True, blank=True)
    clock_offset_seconds = models.FloatField(
        _("clock offset (s)"), null=True, blank=True
    )
    approved_at = models.DateTimeField(
        _("let in"), null=True, blank=True, default=timezone.now
    )
    # What a waiting agent says it is; empty once it is let in.
    claims = models.JSONField(_("says it is"), default=dict, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    objects = AgentQuerySet.as_manager()  # type: ignore[misc]
    audit_kind = "agent"

    class Meta:
        verbose_name = _("agent")
        verbose_name_plural = _("agents")
        ordering = ["-id"]

    def __str__(self) -> str:
        if self.host:
            return str(self.host)
        return str(self.claims.get("hostname") or "")[:253] or self.public_id

    @property
    def audit_name(self) -> str:
        """Name that the audit trail keeps."""
        return f"agent {self.public_id[:8]}"

    @property
    def is_live(self) -> bool:
        """Say whether it sent something lately and may go on."""
        seen = self.last_seen_at
        return self.revoked_at is None and seen is not None and seen > silent_before()

    @property
    def state(self) -> str:
        """Name its state: reporting is ok, silent danger, waiting warning, revoked idle."""
        if self.revoked_at:
            return "idle"
        if self.approved_at is None:
            return "warning"
        return "ok" if self.is_live else "danger"

    @property
    def is_waiting(self) -> bool:
        """Say whether somebody has yet to let it in."""
        return self.approved_at is None and self.revoked_at is None

    @property
    def state_label(self) -> str:
        """Say its state in a word."""
        words = {
            "ok": _("reporting"),
            "danger": _("silent"),
            "warning": _("waits to be let in"),
            "idle": _("revoked"),
        }
        return str(words[self.state])


class HostIdentifier(models.Model):
    """Evidence of which machine a host is: normalised, never a key by itself."""

    class Kind(models.TextChoices):
        """Kinds of evidence, the strongest first."""

        MACHINE_ID = "machine_id", _("machine id (hashed)")
        PRODUCT_UUID = "product_uuid", _("hardware UUID")
        SERIAL = "serial", _("serial number")
        MAC = "mac", _("MAC address")

    host = models.ForeignKey(
        "cmdb.Host", on_delete=models.CASCADE, related_name="identifiers"
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    value = models.CharField(_("value"), max_length=200)
    first_seen_at = models.DateTimeField(_("first seen"), auto_now_add=True)

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value", "host"], name="host_identifier_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class EnrolmentTokenQuerySet(ScopedQuerySet):
    """Enrolment tokens by state."""

    def usable(self) -> Self:
        """Narrow to tokens that can still enrol an agent."""
        return self.filter(
            revoked_at=None,
            expires_at__gt=timezone.now(),
            used_count__lt=models.F("use_limit"),
        )


class EnrolmentToken(Linked):
    """Lets a number of agents in for a time; kept as a hash, shown once."""

    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=16, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    use_limit = models.PositiveIntegerField(
        _("number of agents"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(100_000)],
    )
    used_count = models.PositiveIntegerField(_("used"), default=0, editable=False)
    expires_at = models.DateTimeField(_("expires"))
    group = models.ForeignKey(
        "cmdb.HostGroup",
        verbose_name=_("put hosts into group"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    networks = NetworksField(
        _("only from these networks"),
        help_text=_("One on each line, such as 10.1.0.0/16. Empty: from anywhere."),
    )
    needs_approval = models.BooleanField(
        _("agents wait for approval"),
        default=False,
        help_text=_("What they send is refused until somebody lets them in."),
    )
    revoked_at = models.DateTimeField(
        _("revoked"), null=True, blank=True, editable=False
    )

    objects = EnrolmentTokenQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("enrolment token")
        verbose_name_plural = _("enrolment tokens")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

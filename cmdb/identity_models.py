"""By what evidence a machine is known, who said what of its fields, and what people have to decide about it."""

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.querysets import ScopedQuerySet
from cmdb.reference import Linked


class Source(models.TextChoices):
    """Who says what a field holds; a stronger one is never overwritten by a weaker one (services/provenance.py)."""

    PERSON = "person", _("a person")
    CONTRACT = "contract", _("a contract")
    IMPORT = "import", _("an import")
    AGENT = "agent", _("the agent")
    SCAN = "scan", _("a scan")


class HostIdentifier(models.Model):
    """Evidence of which machine a host is: normalised, never a key by itself."""

    class Kind(models.TextChoices):
        """Kinds of evidence, the strongest first."""

        CLOUD = "cloud", _("cloud instance")
        MACHINE_ID = "machine_id", _("machine id (hashed)")
        PRODUCT_UUID = "product_uuid", _("hardware UUID")
        SERIAL = "serial", _("serial number")
        CHASSIS_SERIAL = "chassis_serial", _("serial number of the chassis")
        BOARD_SERIAL = "board_serial", _("serial number of the board")
        MAC = "mac", _("MAC address")

    class Quality(models.TextChoices):
        """What a piece of evidence is worth."""

        GOOD = "good", _("good")
        SHARED = "shared", _("shared by several machines: no evidence")

    host = models.ForeignKey(
        "cmdb.Host", on_delete=models.CASCADE, related_name="identifiers"
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    value = models.CharField(_("value"), max_length=200)
    quality = models.CharField(
        _("quality"), max_length=10, choices=Quality, default=Quality.GOOD
    )
    source = models.CharField(
        _("source"), max_length=10, choices=Source, default=Source.AGENT
    )
    first_seen_at = models.DateTimeField(_("first seen"), auto_now_add=True)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("identifiers")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value", "host"], name="host_identifier_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class FieldSource(models.Model):
    """Who a field of a host belongs to, where that is not simply its agent; and what a weaker source says otherwise."""

    host = models.ForeignKey(
        "cmdb.Host", on_delete=models.CASCADE, related_name="field_sources"
    )
    field = models.CharField(_("field"), max_length=50)
    source = models.CharField(_("source"), max_length=10, choices=Source)
    by = models.CharField(_("by"), max_length=150, blank=True)
    confirmed_at = models.DateTimeField(_("last confirmed"), default=timezone.now)
    # JSON null: nobody says otherwise.
    said = models.JSONField(_("is said to be"), null=True, blank=True)
    said_by = models.CharField(_("by"), max_length=10, choices=Source, blank=True)
    said_at = models.DateTimeField(_("at"), null=True, blank=True)

    class Meta:
        verbose_name = _("source of a field")
        verbose_name_plural = _("sources of fields")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["host", "field"], name="field_source_once")
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.source}"


class ConflictQuerySet(ScopedQuerySet):
    """Conflicts by whether somebody has decided them."""

    def open(self) -> Self:
        """Narrow to those that wait for a decision."""
        return self.filter(verdict="")


class IdentityConflict(Linked):
    """A machine of which the portal cannot say which host it is; a person decides."""

    class Kind(models.TextChoices):
        """What happened."""

        CLONE = "clone_suspected", _("looks like a host that still reports")
        CONTRADICTION = "contradiction", _("its serial number and its UUID disagree")
        SEVERAL = "identity_conflict", _("looks like several hosts")
        BOARD_SWAP = "board_swap", _("the hardware of a host was replaced")
        DISK_MOVED = "disk_moved", _("the disk of a host runs in another machine")
        CREDENTIAL = "cloned_credential", _("two machines report as one agent")

    class Verdict(models.TextChoices):
        """What was decided."""

        ACCEPT = "accept", _("it is this host")
        MERGE = "merge", _("these hosts are one")
        SPLIT = "split", _("it is a host of its own")
        REIMAGED = "reimaged", _("this host was installed anew")
        CLONE = "clone", _("it is a copy")
        DISMISS = "dismiss", _("dismissed")

    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    hosts = models.ManyToManyField(
        "cmdb.Host", verbose_name=_("hosts"), related_name="identity_conflicts"
    )
    agent = models.ForeignKey(
        "cmdb.Agent",
        verbose_name=_("agent"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="conflicts",
    )
    evidence = models.JSONField(_("evidence"), default=dict, editable=False)
    claims = models.JSONField(_("says it is"), default=dict, editable=False)
    address = models.GenericIPAddressField(_("reports from"), null=True, blank=True)
    fingerprint = models.CharField(max_length=64, db_index=True, editable=False)
    # Kind and fingerprint while it is open, NULL afterwards: two requests at once open one.
    open_key = models.CharField(
        max_length=100, unique=True, null=True, blank=True, editable=False
    )
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    seen_count = models.PositiveIntegerField(_("seen (times)"), default=1)
    verdict = models.CharField(
        _("decision"), max_length=10, choices=Verdict, blank=True, db_index=True
    )
    chosen = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=150, blank=True)
    # An enrolment follows a decision once.
    used_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What takes a merge back.
    undo = models.JSONField(null=True, blank=True, editable=False)

    objects = ConflictQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("identity conflict")
        verbose_name_plural = _("identity conflicts")
        ordering = ["-id"]

    def __str__(self) -> str:
        name = str(self.claims.get("hostname") or "")[:100]
        return f"{name or _('a machine')}: {self.get_kind_display()}"

    @property
    def badge(self) -> dict[str, str]:
        """Give its state as the head of the page draws it."""
        label = self.get_verdict_display() if self.verdict else _("to be decided")
        return {"state": "idle" if self.verdict else "warning", "label": str(label)}

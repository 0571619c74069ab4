"""Which agent speaks for which host, and what lets agents in."""

import secrets
from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from adminset.networks import NetworksField
from adminset.querysets import ScopedQuerySet
from cmdb.reference import Linked


def silent_before() -> datetime:
    """Give the moment before which a last report means silence."""
    return timezone.now() - timedelta(seconds=settings.AGENT_SILENT_SECONDS)


def new_agent_id() -> str:
    """Make a public id for an agent: 32 hex digits."""
    return secrets.token_hex(16)


# What decides whether a report is let in, and for which host.
STANDING = frozenset(
    {"secret_hash", "next_secret_hash", "approved_at", "revoked_at", "host", "host_id"}
)


class AgentQuerySet(ScopedQuerySet):
    """Agents by what became of them; they are seen with their hosts."""

    def update(self, **fields: Any) -> int:
        """As ever; a change of standing also moves `updated_at`, by which every process sees it (cmdb/services/standing.py)."""
        if not STANDING.isdisjoint(fields):
            fields.setdefault("updated_at", timezone.now())
        return super().update(**fields)

    def waiting(self) -> Self:
        """Narrow to agents that nobody has let in or refused yet."""
        return self.filter(approved_at=None, revoked_at=None)


class Agent(Linked):
    """The identity under which a machine reports: given by the portal, never taken from a host name."""

    public_id = models.CharField(
        _("agent id"), max_length=32, unique=True, default=new_agent_id
    )
    secret_hash = models.CharField(max_length=64, editable=False)
    # Of a secret that was asked for; the first use of it ends the one before.
    next_secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    # Hash of its strong evidence while it is in force: a machine that enrols twice at once becomes one host.
    identity_key = models.CharField(
        max_length=64, unique=True, null=True, blank=True, editable=False
    )
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
    # What its boot ids tell of copies of its credential (cmdb/boots.py).
    boots = models.JSONField(default=dict, blank=True, editable=False)
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
    # By how much its samples were put right, since which sample of which boot (monitor/clocks.py).
    clock_steps = models.JSONField(default=list, blank=True, editable=False)
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
        indexes = [models.Index(fields=["-updated_at"], name="agent_changed")]

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
    def refused_boots(self) -> list[str]:
        """List the boot ids of machines that report with a copy of its credential."""
        listed: list[str] = self.boots.get("refused", [])
        return listed

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

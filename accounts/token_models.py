"""The tokens that speak for users, and what each may do less than its user."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from adminset.networks import NetworksField
from adminset.querysets import NOWHERE, Scope, ScopedQuerySet

# A usable token whose end is nearer than this warns; one that is not used for so long is named.
ENDING_DAYS = 14
UNUSED_DAYS = 90


def default_days() -> int:
    """Say how many days a token lives unless told otherwise."""
    return min(settings.TOKEN_DAYS, settings.TOKEN_MAX_DAYS)


class HashField(models.CharField):
    """A column that holds the hash of a secret: the audit trail keeps a mask of it."""

    secret = True


class ApiTokenQuerySet(ScopedQuerySet):
    """Tokens by state."""

    def usable(self) -> "ApiTokenQuerySet":
        """Narrow to tokens that are neither revoked nor expired."""
        return self.filter(revoked_at=None, expires_at__gt=timezone.now())

    def in_state(self, state: str) -> "ApiTokenQuerySet":
        """Narrow to "usable", "expired" or "revoked" ones, or to usable ones that are "ending" or "idle"."""
        now = timezone.now()
        if state == "revoked":
            return self.exclude(revoked_at=None)
        if state == "expired":
            return self.filter(revoked_at=None, expires_at__lte=now)
        if state == "ending":
            return self.usable().filter(
                expires_at__lt=now + timedelta(days=ENDING_DAYS)
            )
        if state == "idle":
            used = Coalesce("last_used_at", "created_at")
            long_ago = now - timedelta(days=UNUSED_DAYS)
            return self.usable().alias(since=used).filter(since__lt=long_ago)
        return self.usable()


class ApiToken(models.Model):
    """A secret that speaks for a user: shown once, kept as a hash, known by its prefix."""

    user = models.ForeignKey(
        "accounts.User",
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="api_tokens",
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=16, unique=True, editable=False)
    secret_hash = HashField(max_length=64, editable=False)
    can_write = models.BooleanField(_("may change things"), default=False)
    expires_at = models.DateTimeField(_("expires"))
    permissions = models.JSONField(
        _("only these permissions"), default=list, blank=True
    )
    scope_ids = models.JSONField(_("only on these objects"), default=dict, blank=True)
    networks = NetworksField(
        _("only from these networks"),
        help_text=_("One on each line, such as 10.1.0.0/16. Empty: from anywhere."),
    )
    replaces = models.ForeignKey(
        "accounts.ApiToken",
        verbose_name=_("replaces"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="replaced_by",
    )
    last_used_address = models.GenericIPAddressField(
        _("last used from"), null=True, blank=True, editable=False
    )
    last_used_at = models.DateTimeField(
        _("last used"), null=True, blank=True, editable=False
    )
    revoked_at = models.DateTimeField(
        _("revoked"), null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def is_unlimited(self) -> bool:
        """Say whether the token may do all that its user may."""
        return self.can_write and not self.permissions and not self.scope_ids

    def narrow(self, permission: str, held: Scope) -> Scope:
        """Give where `permission` holds when this token speaks, of where it holds for the user.

        A token that only reads holds "view" permissions alone; `permissions` names the only ones it has, if any;
        `scope_ids` (kind of scope -> ids) the only objects.
        """
        looking = permission.partition(".")[2].startswith("view_")
        if not (looking or self.can_write):
            return NOWHERE
        if self.permissions and permission not in self.permissions:
            return NOWHERE
        if not self.scope_ids:
            return held
        return held.narrowed(
            Scope(ids={kind: frozenset(ids) for kind, ids in self.scope_ids.items()})
        )

    @property
    def state(self) -> str:
        """Say "usable", "expired" or "revoked"."""
        if self.revoked_at:
            return "revoked"
        return "usable" if self.expires_at > timezone.now() else "expired"

    @property
    def days_left(self) -> int:
        """Count the whole days until it expires; 0 on the last day and afterwards."""
        return max((self.expires_at - timezone.now()).days, 0)

    @property
    def is_ending(self) -> bool:
        """Say whether it works, and soon will not."""
        return self.state == "usable" and self.days_left < ENDING_DAYS

    @property
    def badge(self) -> dict[str, str]:
        """Say the state as a badge: {state, label}."""
        if self.is_ending:
            words = ngettext(
                "expires in %(number)s day",
                "expires in %(number)s days",
                self.days_left,
            ) % {"number": self.days_left}
            label = words if self.days_left else gettext("expires within a day")
            return {"state": "warning", "label": label}
        return {
            "usable": {"state": "ok", "label": gettext("usable")},
            "expired": {"state": "warning", "label": gettext("expired")},
            "revoked": {"state": "idle", "label": gettext("revoked")},
        }[self.state]

    @property
    def is_idle(self) -> bool:
        """Say whether it works and nobody has used it for long."""
        since = self.last_used_at or self.created_at
        long_ago = since < timezone.now() - timedelta(days=UNUSED_DAYS)
        return self.state == "usable" and long_ago

"""Which group of a directory brings which role: LDAP, Active Directory, OpenID Connect."""

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped


class GroupMapping(Timestamped):
    """Whoever is in this group gets this role at the next sign-in, and loses it with the membership."""

    class Source(models.TextChoices):
        """Where the group is kept."""

        LDAP = "ldap", "LDAP"
        OIDC = "oidc", "OpenID Connect"

    source = models.CharField(_("source"), max_length=10, choices=Source)
    group = models.CharField(
        _("group"),
        max_length=500,
        help_text=_(
            "LDAP: the whole name (DN) or the common name. OpenID Connect: as the claim says it."
        ),
    )
    role = models.ForeignKey(
        "accounts.Role",
        verbose_name=_("role"),
        on_delete=models.CASCADE,
        related_name="mappings",
    )
    everything = models.BooleanField(_("everywhere"), default=False)
    scope_ids = models.JSONField(_("objects"), default=dict, blank=True)

    class Meta:
        verbose_name = _("group mapping")
        verbose_name_plural = _("group mappings")
        ordering = ["source", "group", "role__name", "id"]

    def __str__(self) -> str:
        return f"{self.group} / {self.role}"

    def get_absolute_url(self) -> str:
        """Give the address of the mapping's page."""
        return reverse("accounts:groupmapping_detail", args=[self.pk])

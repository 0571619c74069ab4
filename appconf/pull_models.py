"""Tokens with which applications pull their configuration."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.token_models import HashField
from adminset.networks import NetworksField
from appconf.base_models import Linked


class PullToken(Linked):
    """With it an application pulls its own configuration; kept as a hash, shown once."""

    name = models.CharField(_("name"), max_length=100)
    project = models.ForeignKey(
        "appconf.Project",
        verbose_name=_("project"),
        on_delete=models.CASCADE,
        related_name="pull_tokens",
    )
    environment = models.ForeignKey(
        "appconf.Environment",
        verbose_name=_("environment"),
        on_delete=models.CASCADE,
        related_name="pull_tokens",
    )
    prefix = models.CharField(_("prefix"), max_length=16, unique=True, editable=False)
    token_hash = HashField(max_length=64, editable=False)
    with_secrets = models.BooleanField(
        _("with secret variables"),
        default=False,
        help_text=_("Off: secret variables and files with them are held back."),
    )
    expires_at = models.DateTimeField(_("expires"))
    networks = NetworksField(
        _("only from these networks"),
        help_text=_("One on each line, such as 10.1.0.0/16. Empty: from anywhere."),
    )
    last_used_at = models.DateTimeField(
        _("last used"), null=True, blank=True, editable=False
    )
    last_used_address = models.GenericIPAddressField(
        _("last used from"), null=True, blank=True, editable=False
    )
    created_by = models.ForeignKey(
        "accounts.User",
        verbose_name=_("created by"),
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("pull token")
        verbose_name_plural = _("pull tokens")
        ordering = ["project__name", "name", "id"]

    def __str__(self) -> str:
        return f"{self.project} / {self.name}"

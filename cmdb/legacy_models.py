"""Machines on which an agent of AdminSet still runs: what tells them apart, and the agent under which they are known here."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped


class LegacyMachine(Timestamped):
    """One machine that reports with the token that all old agents share.

    Host name and serial number lead to an agent, never to a host: which host the agent speaks for a person decides.
    """

    hostname = models.CharField(_("host name"), max_length=253)
    serial = models.CharField(_("serial number"), max_length=200, blank=True)
    agent = models.OneToOneField(
        "cmdb.Agent",
        verbose_name=_("agent"),
        on_delete=models.CASCADE,
        related_name="legacy",
    )

    class Meta:
        verbose_name = _("machine with an old agent")
        verbose_name_plural = _("machines with old agents")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["hostname", "serial"], name="legacy_machine_once"
            )
        ]

    def __str__(self) -> str:
        return self.hostname

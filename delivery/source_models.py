"""The keys that servers of sources showed: kept at first, asked for from then on."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SourceKey(models.Model):
    """The key of the ssh server of a project's source, as a line of known_hosts."""

    project = models.ForeignKey(
        "appconf.Project", on_delete=models.CASCADE, related_name="source_keys"
    )
    # Name as in known_hosts: host, or [host]:port.
    server = models.CharField(_("server"), max_length=300)
    key = models.TextField(_("host key"), max_length=8000)
    learnt_at = models.DateTimeField(_("first shown"), default=timezone.now)

    class Meta:
        verbose_name = _("key of a source's server")
        verbose_name_plural = _("keys of sources' servers")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["project", "server"], name="one_key_of_source"
            )
        ]

    def __str__(self) -> str:
        return f"{self.project}: {self.server}"

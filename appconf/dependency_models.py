"""What an application needs: other applications, and hosts."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from appconf.base_models import Linked


class Dependency(Linked):
    """That an application needs another one, or a host."""

    class Kind(models.TextChoices):
        """For what."""

        CALLS = "calls", _("calls")
        STORES = "stores", _("stores in")
        QUEUES = "queues", _("queues through")
        CACHES = "caches", _("caches in")
        LOGS = "logs", _("logs to")
        SIGNS_IN = "signs_in", _("signs in by")
        BALANCED = "balanced", _("is balanced by")
        OTHER = "other", _("needs")

    project = models.ForeignKey(
        "appconf.Project",
        verbose_name=_("project"),
        on_delete=models.CASCADE,
        related_name="dependencies",
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.CALLS)
    on_project = models.ForeignKey(
        "appconf.Project",
        verbose_name=_("other project"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="dependants",
    )
    on_host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="dependants",
    )
    notes = models.CharField(_("notes"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("dependency")
        verbose_name_plural = _("dependencies")
        ordering = ["project__name", "kind", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(on_project=None, on_host__isnull=False)
                | Q(on_project__isnull=False, on_host=None),
                name="dependency_on_one_thing",
                violation_error_message=_("Choose another project, or a host."),
            ),
            models.CheckConstraint(
                condition=Q(on_project=None) | ~Q(on_project=models.F("project")),
                name="dependency_not_on_itself",
                violation_error_message=_("A project does not depend on itself."),
            ),
            models.UniqueConstraint(
                fields=["project", "kind", "on_project"],
                condition=Q(on_project__isnull=False),
                name="dependency_on_project_once",
                violation_error_message=_("This dependency is there already."),
            ),
            models.UniqueConstraint(
                fields=["project", "kind", "on_host"],
                condition=Q(on_host__isnull=False),
                name="dependency_on_host_once",
                violation_error_message=_("This dependency is there already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.get_kind_display()} {self.on_project or self.on_host}"

"""Where an application runs: environments with their hosts."""

from typing import Self

from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from adminset.querysets import ScopedQuerySet
from appconf.base_models import Linked
from appconf.checks import check_absolute, check_deploy_path
from appconf.project_choices import EnvironmentKind
from cmdb import membership
from cmdb.models import Host


class EnvironmentQuerySet(ScopedQuerySet):
    """Environments, with what a list shows of them."""

    def for_list(self) -> Self:
        """Bring along what a row of the list shows."""
        return self.select_related("project__product_line")

    def in_order(self) -> Self:
        """Order as releases travel through them."""
        return self.order_by("project__name", "position", "name", "pk")


class Environment(Linked):
    """Where an application runs: hosts, and paths on them. Releases travel through a project's environments by position."""

    Kind = EnvironmentKind

    project = models.ForeignKey(
        "appconf.Project",
        verbose_name=_("project"),
        on_delete=models.CASCADE,
        related_name="environments",
    )
    name = models.CharField(_("name"), max_length=100)
    code = models.SlugField(_("code"), max_length=50)
    kind = models.CharField(
        _("kind"),
        max_length=12,
        choices=EnvironmentKind,
        default=EnvironmentKind.PRODUCTION,
    )
    position = models.PositiveSmallIntegerField(
        _("position"),
        default=0,
        help_text=_("Releases go from low to high: test 1, staging 2, production 3."),
    )
    hosts = models.ManyToManyField(
        "cmdb.Host",
        verbose_name=_("hosts"),
        blank=True,
        related_name="environments",
        through="appconf.EnvironmentHost",
    )
    groups = models.ManyToManyField(
        "cmdb.HostGroup",
        verbose_name=_("host groups"),
        blank=True,
        related_name="environments",
        through="appconf.EnvironmentGroup",
        help_text=_("Hosts that come into a group later belong to it too."),
    )
    deploy_path = models.CharField(
        _("deploy path"),
        max_length=500,
        blank=True,
        validators=[check_deploy_path],
        help_text=_("Empty: the project's."),
    )
    config_path = models.CharField(
        _("configuration path"),
        max_length=500,
        blank=True,
        validators=[check_absolute],
        help_text=_("Empty: the project's."),
    )
    notes = models.TextField(_("notes"), blank=True)

    objects = EnvironmentQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("environment")
        verbose_name_plural = _("environments")
        ordering = ["project__name", "position", "name", "id"]
        permissions = [("deploy_environment", "Can deploy to environment")]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"],
                name="environment_name_in_project",
                violation_error_message=_(
                    "This project has an environment of that name already."
                ),
            ),
            models.UniqueConstraint(
                fields=["project", "code"],
                name="environment_code_in_project",
                violation_error_message=_(
                    "This project has an environment of that code already."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.project} / {self.name}"

    @property
    def path(self) -> str:
        """Deploy path that counts here."""
        return self.deploy_path or self.project.deploy_path

    path.fget.short_description = _("deploy path")  # type: ignore[attr-defined]

    @property
    def config_folder(self) -> str:
        """Folder of configuration files that counts here."""
        return self.config_path or self.project.config_path

    config_folder.fget.short_description = _("configuration path")  # type: ignore[attr-defined]

    def all_hosts(self) -> QuerySet[Host]:
        """Give its own hosts and those of its groups, each once; vouching.hosts_of gives those that are delivered to."""
        through = EnvironmentHost.objects.filter(environment=self.pk)
        held = EnvironmentGroup.objects.filter(environment=self.pk)
        groups = list(held.values_list("hostgroup_id", flat=True))
        own = Q(pk__in=through.values("host_id"))
        found = own | membership.of_groups(groups) if groups else own
        return Host.objects.filter(found)


class Vouching(models.Model):
    """Who put something into an environment, and so answers for work on it there."""

    added_by = models.ForeignKey(
        "accounts.User",
        verbose_name=_("put there by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    added_at = models.DateTimeField(_("put there"), auto_now_add=True)

    class Meta:
        abstract = True


class EnvironmentHost(Vouching):
    """That a host belongs to an environment."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE)
    host = models.ForeignKey("cmdb.Host", on_delete=models.CASCADE)

    class Meta:
        verbose_name = _("host of an environment")
        verbose_name_plural = _("hosts of environments")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "host"], name="host_once_in_environment"
            )
        ]

    def __str__(self) -> str:
        return f"{self.host_id} in {self.environment_id}"


class EnvironmentGroup(Vouching):
    """That the hosts of a group belong to an environment."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE)
    hostgroup = models.ForeignKey("cmdb.HostGroup", on_delete=models.CASCADE)

    class Meta:
        verbose_name = _("host group of an environment")
        verbose_name_plural = _("host groups of environments")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "hostgroup"], name="group_once_in_environment"
            )
        ]

    def __str__(self) -> str:
        return f"{self.hostgroup_id} in {self.environment_id}"

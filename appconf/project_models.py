"""Applications as projects of a product line."""

from typing import Any, Self

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from adminset.querysets import ScopedQuerySet
from appconf import project_choices as choices
from appconf.base_models import Linked
from appconf.checks import (
    check_absolute,
    check_account,
    check_deploy_path,
    check_ports,
    check_source_address,
)

COMMAND_CHARACTERS = 2000


def _command(label: Any) -> models.CharField:
    return models.CharField(label, max_length=COMMAND_CHARACTERS, blank=True)


class ProjectQuerySet(ScopedQuerySet):
    """Projects, with what a list shows of them."""

    def for_list(self) -> Self:
        """Bring along what a row of the list shows."""
        return self.select_related("product_line")


class Project(Linked):
    """An application: what it is, where it comes from and where it belongs. Its way to hosts is the room of delivery's."""

    Language = choices.Language
    AppType = choices.AppType
    ServerType = choices.ServerType
    Architecture = choices.Architecture
    SourceType = choices.SourceType
    Criticality = choices.Criticality

    name = models.CharField(_("name"), max_length=100, unique=True)
    code = models.SlugField(
        _("code"),
        max_length=50,
        unique=True,
        help_text=_("Letters, digits and - _: hooks and the pull address know it."),
    )
    product_line = models.ForeignKey(
        "cmdb.ProductLine",
        verbose_name=_("product line"),
        on_delete=models.PROTECT,
        related_name="projects",
    )
    description = models.TextField(_("description"), blank=True)
    language = models.CharField(
        _("language"), max_length=20, choices=choices.Language, blank=True
    )
    app_type = models.CharField(
        _("kind of application"), max_length=20, choices=choices.AppType, blank=True
    )
    server_type = models.CharField(
        _("server"), max_length=20, choices=choices.ServerType, blank=True
    )
    architecture = models.CharField(
        _("framework"), max_length=20, choices=choices.Architecture, blank=True
    )
    source_type = models.CharField(
        _("source"),
        max_length=10,
        choices=choices.SourceType,
        default=choices.SourceType.GIT,
    )
    source_address = models.CharField(
        _("address of the source"),
        max_length=500,
        blank=True,
        validators=[check_source_address],
    )
    source_credential = models.ForeignKey(
        "cmdb.Credential",
        verbose_name=_("credential of the source"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="projects",
    )
    deploy_path = models.CharField(
        _("deploy path"),
        max_length=500,
        blank=True,
        validators=[check_deploy_path],
        help_text=_("Folder on the hosts in which releases lie, such as /srv/shop."),
    )
    config_path = models.CharField(
        _("configuration path"),
        max_length=500,
        blank=True,
        validators=[check_absolute],
        help_text=_("Folder of configuration files that have no absolute path."),
    )
    owner = models.CharField(
        _("owner"),
        max_length=100,
        blank=True,
        help_text=_("A contact of this name is shown with all ways to reach it."),
    )
    on_call = models.CharField(
        _("on call"),
        max_length=250,
        blank=True,
        help_text=_("Whom to call at night, and how."),
    )

    # Package, configuration
    packages = models.ManyToManyField(
        "appconf.Package",
        verbose_name=_("packages"),
        blank=True,
        related_name="projects",
    )
    config_notes = models.TextField(_("about its configuration"), blank=True)
    # Monitoring
    health_url = models.URLField(_("health address"), max_length=500, blank=True)
    monitoring_notes = models.TextField(_("about its monitoring"), blank=True)
    # Business
    criticality = models.CharField(
        _("criticality"),
        max_length=10,
        choices=choices.Criticality,
        default=choices.Criticality.MEDIUM,
    )
    sla = models.CharField(_("promised availability"), max_length=100, blank=True)
    business_notes = models.TextField(_("about its business"), blank=True)
    # Architecture
    ports = models.CharField(
        _("ports"), max_length=200, blank=True, validators=[check_ports]
    )
    architecture_notes = models.TextField(_("about its architecture"), blank=True)
    # Permission
    run_user = models.CharField(
        _("runs as user"), max_length=32, blank=True, validators=[check_account]
    )
    run_group = models.CharField(
        _("runs as group"), max_length=32, blank=True, validators=[check_account]
    )
    permission_notes = models.TextField(_("about its permissions"), blank=True)
    # Operation
    start_command = _command(_("start command"))
    stop_command = _command(_("stop command"))
    restart_command = _command(_("restart command"))
    log_path = models.CharField(
        _("log path"), max_length=500, blank=True, validators=[check_absolute]
    )
    operation_notes = models.TextField(_("about its operation"), blank=True)

    objects = ProjectQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("project")
        verbose_name_plural = _("projects")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def badge(self) -> dict[str, str] | None:
        """Say in the head of the page where much hangs on it."""
        if self.criticality not in {"critical", "high"}:
            return None
        said = {"how": self.get_criticality_display()}
        return {"state": "warning", "label": gettext("criticality: %(how)s") % said}

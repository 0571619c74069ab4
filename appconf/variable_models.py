"""Variables of applications: a value, or a sealed one, for one level."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from adminset.crypto import EncryptedTextField
from appconf.base_models import Linked
from appconf.checks import check_variable_name


class Level(models.TextChoices):
    """For whom a value holds; a later level wins over an earlier one."""

    LINE = "line", _("product line")
    PROJECT = "project", _("project")
    ENVIRONMENT = "environment", _("environment")
    GROUP = "group", _("host group")
    HOST = "host", _("host")


# Level -> the field that names whose value it is; groups and hosts may be narrowed to one project.
OWNERS: dict[str, str] = {
    Level.LINE: "product_line",
    Level.PROJECT: "project",
    Level.ENVIRONMENT: "environment",
    Level.GROUP: "host_group",
    Level.HOST: "host",
}
NARROWED = (Level.GROUP, Level.HOST)
ONCE = _("This name has a value here already.")


def _holds(level: str) -> Q:
    """Give the condition that a row of a level has exactly the fields of that level."""
    found = Q(level=level)
    for name in OWNERS.values():
        if name == OWNERS[level]:
            found &= Q(**{f"{name}__isnull": False})
        elif not (name == "project" and level in NARROWED):
            found &= Q(**{f"{name}__isnull": True})
    return found


def _whole() -> Q:
    found = Q()
    for level in OWNERS:
        found |= _holds(level)
    return found


def _once() -> list[models.UniqueConstraint]:
    """Allow one value a name and owner, and one for each project where that is named too."""
    made = []
    for level, owner in OWNERS.items():
        if level in NARROWED:
            made.append(_unique(level, [owner], f"{level}_any", Q(project=None)))
            narrow = Q(project__isnull=False)
            made.append(_unique(level, [owner, "project"], f"{level}_of", narrow))
        else:
            made.append(_unique(level, [owner], level, Q()))
    return made


def _unique(
    level: str, fields: list[str], name: str, condition: Q
) -> models.UniqueConstraint:
    return models.UniqueConstraint(
        fields=[*fields, "name"],
        condition=Q(level=level) & condition,
        name=f"variable_once_{name}",
        violation_error_message=ONCE,
    )


class Variable(Linked):
    """A name with a value for one level. The value of a secret one is sealed and never shown again."""

    Level = Level
    OWNERS: ClassVar[dict[str, str]] = OWNERS

    level = models.CharField(
        _("level"), max_length=12, choices=Level, default=Level.PROJECT
    )
    product_line = models.ForeignKey(
        "cmdb.ProductLine",
        verbose_name=_("product line"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="variables",
    )
    project = models.ForeignKey(
        "appconf.Project",
        verbose_name=_("project"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="variables",
        help_text=_("Of a group or a host: only for this project. Empty: for all."),
    )
    environment = models.ForeignKey(
        "appconf.Environment",
        verbose_name=_("environment"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="variables",
    )
    host_group = models.ForeignKey(
        "cmdb.HostGroup",
        verbose_name=_("host group"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="variables",
    )
    host = models.ForeignKey(
        "cmdb.Host",
        verbose_name=_("host"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="variables",
    )
    name = models.CharField(_("name"), max_length=100, validators=[check_variable_name])
    value = models.TextField(_("value"), blank=True)
    secret = EncryptedTextField(_("secret value"))
    is_secret = models.BooleanField(_("secret"), default=False)
    notes = models.CharField(_("notes"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("variable")
        verbose_name_plural = _("variables")
        ordering = ["name", "level", "id"]
        constraints = [
            models.CheckConstraint(
                condition=_whole(),
                name="variable_of_its_level",
                violation_error_message=_("Say whose value it is."),
            ),
            *_once(),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def owner(self) -> Any:
        """Whose value it is: the product line, project, environment, group or host."""
        return getattr(self, OWNERS[self.level])

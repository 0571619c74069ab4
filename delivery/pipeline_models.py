"""Pipelines: how a project's releases are made and brought to its environments; and templates that projects share."""

from typing import Any, Self

from django.core.validators import MaxValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import ScopedQuerySet
from delivery.artefact_models import OfProjectsQuerySet
from delivery.way_models import Way


class PipelineTemplate(Timestamped, Way):
    """A way by name that pipelines of several projects follow."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=250, blank=True)

    objects = ScopedQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("pipeline template")
        verbose_name_plural = _("pipeline templates")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:pipelinetemplate_detail", args=[self.pk])


class PipelineQuerySet(OfProjectsQuerySet):
    """Pipelines, by where they go."""

    def going_to(self, environment: Any) -> Self:
        """Narrow to the pipelines of an environment's project that may go there."""
        named = models.Q(environments=None) | models.Q(environments=environment)
        return self.filter(named, project=environment.project_id)


class Pipeline(Timestamped, Way):
    """How one project is delivered: its own way or a template's, and who has a word in it."""

    project = models.ForeignKey(
        "appconf.Project",
        verbose_name=_("project"),
        on_delete=models.PROTECT,
        related_name="pipelines",
    )
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=250, blank=True)
    template = models.ForeignKey(
        PipelineTemplate,
        verbose_name=_("template"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="pipelines",
        help_text=_(
            "Its stages, hooks, health and policy count then, not those below."
        ),
    )
    environments = models.ManyToManyField(
        "appconf.Environment",
        verbose_name=_("only to these environments"),
        blank=True,
        related_name="pipelines",
        through="delivery.PipelineEnvironment",
        help_text=_("Only to these environments. Empty: all of its project."),
    )
    # What guards an environment: kinds of environments for which approvals and calendars count; empty: all.
    guarded_kinds = models.JSONField(
        _("kinds of environments that are guarded"),
        default=list,
        blank=True,
        help_text=_("Approvals and calendars count there; none chosen: everywhere."),
    )
    approvals_needed = models.PositiveSmallIntegerField(
        _("approvals needed"), default=0, validators=[MaxValueValidator(10)]
    )
    approve_groups = models.ManyToManyField(
        "accounts.Role",
        verbose_name=_("roles that approve"),
        blank=True,
        related_name="approving_pipelines",
        help_text=_("None chosen: whoever may approve deploys of the project."),
    )
    approval_minutes = models.PositiveIntegerField(
        _("an approval expires after (minutes)"),
        default=1440,
        validators=[MaxValueValidator(43_200)],
    )
    calendar = models.ForeignKey(
        "tasks.Calendar",
        verbose_name=_("change windows"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="pipelines",
        help_text=_("Deploys begin only in these times."),
    )
    freezes = models.ForeignKey(
        "tasks.Calendar",
        verbose_name=_("freezes"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="frozen_pipelines",
        help_text=_("No deploy begins in these times."),
    )
    in_order = models.BooleanField(
        _("through the environments in order"),
        default=False,
        help_text=_(
            "An artefact goes only where it ran well in the environment before."
        ),
    )
    is_active = models.BooleanField(_("in use"), default=True)

    objects = PipelineQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("pipeline")
        verbose_name_plural = _("pipelines")
        ordering = ["project__name", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="pipeline_name_of_project"
            )
        ]
        permissions = [("guard_pipeline", "Can change what guards deploys")]

    def __str__(self) -> str:
        return f"{self.project} / {self.name}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:pipeline_detail", args=[self.pk])

    @property
    def way(self) -> Way:
        """The way that counts: the template's where it follows one, else its own."""
        return self.template or self

    def guards(self, environment: Any) -> bool:
        """Whether approvals and calendars count for an environment."""
        return not self.guarded_kinds or environment.kind in self.guarded_kinds

    def goes_to(self, environment: Any) -> bool:
        """Whether it may go to an environment."""
        return type(self).objects.going_to(environment).filter(pk=self.pk).exists()

    def reached(self, rows: models.QuerySet) -> models.QuerySet:
        """Narrow environments to those to which it may go."""
        own, named = (
            rows.filter(project=self.project_id),
            self.environments.values("pk"),
        )
        return own.filter(pk__in=named) if self.environments.exists() else own


class PipelineEnvironment(models.Model):
    """That a pipeline goes only to this environment, and to others that it names."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.CASCADE)
    # Not by CASCADE: a pipeline that loses the only one that it names would go everywhere.
    environment = models.ForeignKey("appconf.Environment", on_delete=models.PROTECT)

    class Meta:
        verbose_name = _("environment of a pipeline")
        verbose_name_plural = _("environments of pipelines")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["pipeline", "environment"], name="environment_once_in_pipeline"
            )
        ]

    def __str__(self) -> str:
        # Without names: whoever deletes one end may not know the other.
        return str(self._meta.verbose_name)

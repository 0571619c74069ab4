"""Sets of releases: several projects that are delivered one after the other, and taken back as one when one of them fails."""

from typing import Any, Self

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from delivery.deploy_models import Deploy


class ReleaseSetQuerySet(ScopedQuerySet):
    """Sets by who reaches all of their environments; a set without any is for everybody who may see sets."""

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to sets of which nothing lies outside the scope."""
        environments = ReleaseSetItem._meta.get_field("environment").related_model
        manager: Any = environments._default_manager
        rows = manager.all().within(scope, action)
        beyond = ReleaseSetItem.objects.exclude(
            environment__in=rows.order_by().values("pk")
        )
        return self.exclude(pk__in=beyond.values("release_set"))


class ReleaseSet(Timestamped):
    """Which pipelines go where, in which order."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=250, blank=True)

    objects = ReleaseSetQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("set of releases")
        verbose_name_plural = _("sets of releases")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:releaseset_detail", args=[self.pk])

    def ordered_places(self) -> models.QuerySet:
        """Give what goes where, in its order, with the names that a page shows."""
        rows = self.places.select_related("pipeline__project", "environment__project")
        return rows.order_by("position")

    @property
    def items(self) -> list[dict[str, Any]]:
        """What goes where, as forms and programs have it."""
        rows = self.places.order_by("position")
        return [
            {
                "pipeline": row.pipeline_id,
                "environment": row.environment_id,
                "kind": row.ref_kind,
                "ref": row.ref,
            }
            for row in rows
        ]


class SetPlace(models.Model):
    """A place in a set: what goes where."""

    REF_KINDS = (
        Deploy.RefKind.BRANCH,
        Deploy.RefKind.TAG,
        Deploy.RefKind.COMMIT,
        Deploy.RefKind.ARTEFACT,
    )
    REF_CHOICES = tuple((kind.value, kind.label) for kind in REF_KINDS)

    position = models.PositiveSmallIntegerField(_("position"))
    pipeline = models.ForeignKey(
        "delivery.Pipeline",
        verbose_name=_("pipeline"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    environment = models.ForeignKey(
        "appconf.Environment",
        verbose_name=_("environment"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    ref_kind = models.CharField(
        _("kind of reference"),
        max_length=10,
        choices=REF_CHOICES,
        default=Deploy.RefKind.BRANCH,
    )
    ref = models.CharField(_("reference"), max_length=200, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.position}. {self.pipeline} → {self.environment.name}"


class ReleaseSetItem(SetPlace):
    """A place in a set as it is planned."""

    release_set = models.ForeignKey(
        ReleaseSet, on_delete=models.CASCADE, related_name="places"
    )

    class Meta:
        default_permissions = ()
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["release_set", "position"], name="releaseset_place"
            )
        ]

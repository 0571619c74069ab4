"""Sets of releases: several projects that go one after the other, and come back as one when one of them fails."""

from typing import Any, ClassVar, Self

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

    def __str__(self) -> str:
        return f"{self.position}. {self.pipeline} → {self.environment.name}"


class SetRunQuerySet(ScopedQuerySet):
    """Goes of sets by who reaches everything that went."""

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to those of which no part lies outside the scope."""
        environments = SetPart._meta.get_field("environment").related_model
        manager: Any = environments._default_manager
        rows = manager.all().within(scope, action)
        beyond = SetPart.objects.exclude(environment__in=rows.order_by().values("pk"))
        return self.exclude(pk__in=beyond.values("set_run"))


class SetRun(models.Model):
    """A set that goes: its parts one after the other; back in reverse order when one fails."""

    class State(models.TextChoices):
        """How it stands."""

        GOING = "going", _("goes")
        GOING_BACK = "going_back", _("comes back")
        OK = "ok", _("ok")
        BACK = "back", _("failed, all came back")
        CANCELLED = "cancelled", _("cancelled, all came back")
        # Something of it is live that should have come back: people look there.
        FAILED = "failed", _("failed, not all came back")

    OPEN = (State.GOING, State.GOING_BACK)
    STATES: ClassVar[dict[str, str]] = {
        "going": "busy",
        "going_back": "warning",
        "ok": "ok",
        "back": "warning",
        "cancelled": "warning",
        "failed": "danger",
    }

    release_set = models.ForeignKey(
        ReleaseSet,
        verbose_name=_("set of releases"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="runs",
    )
    name = models.CharField(_("name"), max_length=100)
    state = models.CharField(
        _("status"), max_length=12, choices=State, default=State.GOING, db_index=True
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    explanation = models.TextField(_("explanation"), blank=True)
    requested_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_by_name = models.CharField(_("started by"), max_length=150)
    created_at = models.DateTimeField(_("started"), auto_now_add=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    cancel_requested_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = SetRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("set that goes")
        verbose_name_plural = _("sets that go")
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("delivery:setrun_detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.state in self.OPEN

    @property
    def colour(self) -> str:
        """Colour of how it stands."""
        return self.STATES[self.state]


class SetPart(SetPlace):
    """One part of a set that goes, and its way back."""

    class State(models.TextChoices):
        """How it stands."""

        WAITING = "waiting", _("waiting")
        GOING = "going", _("goes")
        OK = "ok", _("ok")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("never began")
        GOING_BACK = "going_back", _("comes back")
        BACK = "back", _("came back")
        STUCK = "stuck", _("could not come back")

    STATES: ClassVar[dict[str, str]] = {
        "waiting": "idle",
        "going": "busy",
        "ok": "ok",
        "failed": "danger",
        "skipped": "idle",
        "going_back": "warning",
        "back": "warning",
        "stuck": "danger",
    }

    set_run = models.ForeignKey(SetRun, on_delete=models.CASCADE, related_name="parts")
    state = models.CharField(
        _("status"), max_length=12, choices=State, default=State.WAITING
    )
    # What most hosts had when it began; it comes back to that.
    before = models.ForeignKey(
        "delivery.Artefact", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Whether hosts have what should not be there: an ok one when a later one failed, or one that failed and was not taken back.
    to_take_back = models.BooleanField(default=False)
    request = models.OneToOneField(
        "delivery.DeployRequest",
        null=True,
        on_delete=models.SET_NULL,
        related_name="set_part",
    )
    back_request = models.OneToOneField(
        "delivery.DeployRequest",
        null=True,
        on_delete=models.SET_NULL,
        related_name="set_part_back",
    )
    words = models.TextField(_("why"), blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["set_run", "position"], name="setpart_place"
            )
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.pipeline} → {self.environment.name}"

    @property
    def colour(self) -> str:
        """Colour of how it stands."""
        return self.STATES[self.state]

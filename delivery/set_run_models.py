"""Release runs: how a set of releases that was started stands, part by part."""

from typing import Any, ClassVar, Self

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.querysets import Scope, ScopedQuerySet
from delivery.set_models import ReleaseSet, SetPlace


class SetRunQuerySet(ScopedQuerySet):
    """Release runs by who reaches all of their environments."""

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to those of which no part lies outside the scope."""
        environments = SetPart._meta.get_field("environment").related_model
        manager: Any = environments._default_manager
        rows = manager.all().within(scope, action)
        beyond = SetPart.objects.exclude(environment__in=rows.order_by().values("pk"))
        return self.exclude(pk__in=beyond.values("set_run"))


class SetRun(models.Model):
    """A release run: a set that was started. Its parts run one after the other, and come back in reverse order when one fails."""

    class State(models.TextChoices):
        """How it stands."""

        GOING = "going", _("running")
        GOING_BACK = "going_back", _("is taken back")
        OK = "ok", _("ok")
        BACK = "back", _("failed, all taken back")
        CANCELLED = "cancelled", _("cancelled, all taken back")
        # By people, after it had ended.
        TAKEN_BACK = "taken_back", _("taken back")
        # Something of it is live that should have come back: people look there.
        FAILED = "failed", _("failed, not all taken back")

    OPEN = (State.GOING, State.GOING_BACK)
    STATES: ClassVar[dict[str, str]] = {
        "going": "busy",
        "going_back": "warning",
        "ok": "ok",
        "back": "warning",
        "cancelled": "warning",
        "taken_back": "warning",
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
    # How often people had it taken back after it had ended, and who did last.
    take_backs = models.PositiveSmallIntegerField(default=0)
    taken_back_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+"
    )

    objects = SetRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("release run")
        verbose_name_plural = _("release runs")
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
    def goes_back_as(self) -> Any:
        """The user in whose name it goes back; None where that one is gone."""
        return self.taken_back_by if self.take_backs else self.requested_by

    @property
    def colour(self) -> str:
        """Colour of how it stands."""
        return self.STATES[self.state]


class SetPart(SetPlace):
    """One part of a release run, and its way back."""

    class State(models.TextChoices):
        """How it stands."""

        WAITING = "waiting", _("waiting")
        GOING = "going", _("running")
        OK = "ok", _("ok")
        FAILED = "failed", _("failed")
        SKIPPED = "skipped", _("not started")
        GOING_BACK = "going_back", _("is taken back")
        BACK = "back", _("taken back")
        STUCK = "stuck", _("could not be taken back")

    OPEN = (State.WAITING, State.GOING, State.GOING_BACK)
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

    @property
    def colour(self) -> str:
        """Colour of how it stands."""
        return self.STATES[self.state]

    @property
    def is_out(self) -> bool:
        """Whether hosts have what it brought."""
        return self.to_take_back or self.state == self.State.STUCK

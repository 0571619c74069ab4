"""Requests for deploys that no page looks at: of programs, schedules, web-hooks, pipelines before, sets. A worker makes deploys of them."""

from typing import Any, ClassVar, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from adminset.querysets import scope_of
from delivery.deploy_models import Deploy, OfEnvironmentsQuerySet


class DeployRequestQuerySet(OfEnvironmentsQuerySet):
    """Requests by who sees deploys there; one's own always, a token with limits only those that it brought itself."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to what the user may look at."""
        own = models.Q(asked_by=user)
        token = getattr(user, "token", None)
        if token is not None and not token.is_unlimited:
            own &= models.Q(token=token)
        scope = scope_of(user, f"delivery.{action}_deploy")
        if scope.everything:
            return self.all()
        reached = type(self)(self.model).within(scope, action).order_by()
        return self.filter(own | models.Q(pk__in=reached.values("pk")))


class DeployRequest(models.Model):
    """A request for a deploy, and what became of it. The source is asked by a worker, so that nobody waits for it who asks.

    `key` says what it is for ("schedule:3:2026-11-22T03:00:00+00:00"): the same request is never written twice, and makes one
    deploy at most.
    """

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting", _("waiting")
        MADE = "made", _("a deploy")
        REFUSED = "refused", _("refused")
        # Nothing was to be done: the commit is live already.
        LEFT = "left", _("left alone")

    STATES: ClassVar[dict[str, str]] = {
        "waiting": "busy",
        "made": "ok",
        "refused": "danger",
        "left": "idle",
    }

    key = models.CharField(max_length=200, unique=True)
    pipeline = models.ForeignKey(
        "delivery.Pipeline",
        verbose_name=_("pipeline"),
        on_delete=models.CASCADE,
        related_name="requests",
    )
    environment = models.ForeignKey(
        "appconf.Environment",
        verbose_name=_("environment"),
        on_delete=models.CASCADE,
        related_name="deploy_requests",
    )
    kind = models.CharField(
        _("kind"), max_length=10, choices=Deploy.Kind, default=Deploy.Kind.DEPLOY
    )
    ref_kind = models.CharField(
        _("kind of reference"),
        max_length=10,
        choices=Deploy.RefKind,
        default=Deploy.RefKind.BRANCH,
    )
    ref = models.CharField(_("reference"), max_length=200, blank=True)
    # Of a promotion, and of a way back to one release; none: the release before.
    artefact = models.ForeignKey(
        "delivery.Artefact", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    has_artefact = models.BooleanField(default=False)
    host_ids = models.JSONField(default=list)
    plan_hash = models.CharField(_("hash of the plan"), max_length=64, blank=True)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    emergency_reason = models.CharField(max_length=500, blank=True)
    wait = models.BooleanField(default=True)
    only_new = models.BooleanField(default=False)
    trigger = models.CharField(
        _("begun"), max_length=10, choices=Deploy.Trigger, default=Deploy.Trigger.API
    )
    asked_by = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    asked_by_name = models.CharField(_("asked by"), max_length=150)
    # The token that spoke: what it may not, the worker may not either. One that is gone may nothing.
    token = models.ForeignKey(
        "accounts.ApiToken", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    by_token = models.BooleanField(default=False)
    follow_up = models.ForeignKey(
        "delivery.FollowUp",
        null=True,
        on_delete=models.SET_NULL,
        related_name="requests",
    )
    # The deploy that ended badly and is tried again.
    retries = models.ForeignKey(
        "delivery.Deploy", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # How many deploys followed one upon another before this one.
    depth = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(
        _("what became of it"), max_length=10, choices=State, default=State.WAITING
    )
    words = models.TextField(_("why"), blank=True)
    code = models.CharField(max_length=60, blank=True)
    deploy = models.OneToOneField(
        "delivery.Deploy",
        verbose_name=_("deploy"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="request",
    )
    created_at = models.DateTimeField(_("asked for"), auto_now_add=True, db_index=True)
    # When a worker took it, and how often one did.
    taken_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)

    objects = DeployRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("request for a deploy")
        verbose_name_plural = _("requests for deploys")
        ordering = ["-id"]
        default_permissions = ()
        indexes = [models.Index(fields=["state", "id"], name="deploy_request_open")]

    def __str__(self) -> str:
        return f"{self.pipeline} → {self.environment.name}"

    @property
    def colour(self) -> str:
        """Colour of what became of it."""
        return self.STATES[self.state]

    @property
    def is_open(self) -> bool:
        """Whether nobody knows yet what becomes of it."""
        return self.state == self.State.WAITING

    @property
    def told(self) -> dict[str, Any]:
        """What was asked for, as the audit trail tells it."""
        return {"ref": self.ref, "kind": self.kind, "ref_kind": self.ref_kind}

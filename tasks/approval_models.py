"""Approvals: which work needs the word of others, who may give it, and what it was given for."""

from typing import Any, ClassVar, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.access import roles_of
from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet, everywhere, scope_of
from tasks.work_models import Work, hosts_within


class ApprovalRule(Timestamped):
    """When work needs approval, and whose. Whoever asks for the work never counts, whatever else they may do."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=250, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    automatic = models.BooleanField(
        _("applies by itself"),
        default=True,
        help_text=_(
            "To every run that the conditions below fit. Off: only where a step of a workflow names it."
        ),
    )
    kinds = models.JSONField(
        _("kinds of work"), default=list, blank=True, help_text=_("None chosen: all.")
    )
    critical = models.BooleanField(
        _("for critical hosts"),
        default=False,
        help_text=_("Where one host at least counts as critical."),
    )
    host_groups = models.ManyToManyField(
        "cmdb.HostGroup",
        verbose_name=_("host groups"),
        blank=True,
        related_name="approval_rules",
    )
    tags = models.ManyToManyField(
        "cmdb.Tag",
        verbose_name=_("tags of hosts"),
        blank=True,
        related_name="approval_rules",
        help_text=_(
            "With groups or tags it applies where one host at least lies in one of them."
        ),
    )
    role = models.ForeignKey(
        "accounts.Role",
        verbose_name=_("role that approves"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="approval_rules",
    )
    users = models.ManyToManyField(
        "accounts.User",
        verbose_name=_("people who approve"),
        blank=True,
        related_name="approval_rules",
    )
    needed = models.PositiveSmallIntegerField(
        _("approvals needed"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
    )
    expires_minutes = models.PositiveIntegerField(
        _("expires after (minutes)"),
        default=1440,
        validators=[MinValueValidator(1), MaxValueValidator(43200)],
    )

    objects = ScopedQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("approval rule")
        verbose_name_plural = _("approval rules")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:approvalrule_detail", args=[self.pk])

    @property
    def kind_words(self) -> str:
        """The kinds of work in words."""
        chosen = [
            str(Work.Kind(kind).label)
            for kind in self.kinds
            if kind in Work.Kind.values
        ]
        return ", ".join(chosen) or str(_("all"))

    kind_words.fget.short_description = _("kinds of work")  # type: ignore[attr-defined]


_NOBODY = Q(users=None, role=None)


def _under(rules: Q) -> Q:
    """Say which approvals stand under some rules."""
    return Q(rule__in=ApprovalRule.objects.filter(rules).order_by().values("pk"))


def _reached(scope: Scope) -> Q:
    """Say which approvals touch no host beyond a scope."""
    if scope.everything:
        return Q()
    hosts = Approval.hosts.through.objects.order_by()
    beyond = hosts.exclude(host__in=hosts_within(scope, "decide"))
    return ~Q(pk__in=beyond.values("approval"))


class ApprovalQuerySet(ScopedQuerySet):
    """Approvals by who may see or decide them."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to what the user asked for, what a rule names the user for, what the user may decide or had a word in; all of them with a permission everywhere."""
        if not user.has_perm(f"tasks.{action}_approval"):
            return self.none()
        mine = self._decidable_by(user)
        if action != "view":
            return self.filter(mine).exclude(requested_by=user)
        if everywhere(user, "tasks.view_approval"):
            return self.all()
        mine |= _under(Q(users=user) | Q(role__in=roles_of(user)))
        voted = ApprovalVote.objects.filter(user=user).values("approval")
        return self.filter(Q(requested_by=user) | mine | Q(pk__in=voted))

    def naming(self, user: Any) -> Self:
        """Narrow to those whose rule names the user, a role of his, or nobody."""
        named = Q(users=user) | Q(role__in=roles_of(user)) | _NOBODY
        return self.filter(_under(named))

    def _decidable_by(self, user: Any) -> Q:
        """Say where the user's word counts: the permission holds on all hosts, and so does the role that the rule names.

        A rule that names nobody leaves it to the permission; where no host is touched, that must hold everywhere.
        """
        scope = scope_of(user, "tasks.decide_approval")
        if not scope:
            return Q(pk__in=())
        hosts = Approval.hosts.through.objects.order_by()
        anybody = _under(_NOBODY)
        if not scope.everything:
            anybody &= Q(pk__in=hosts.values("approval"))
        found = _under(Q(users=user)) | anybody
        for role, held in roles_of(user).items():
            found |= _under(Q(role=role)) & _reached(held)
        return found & _reached(scope)

    def open(self) -> Self:
        """Narrow to those that wait."""
        return self.filter(status=Approval.Status.WAITING)


class Approval(models.Model):
    """The word of others on one piece of work. `seals` holds a hash of each of its parts: any change voids it."""

    class Status(models.TextChoices):
        """How an approval stands."""

        WAITING = "waiting", _("waits")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")
        EXPIRED = "expired", _("expired")
        VOID = "void", _("void")
        CANCELLED = "cancelled", _("cancelled")

    STATES: ClassVar[dict[str, str]] = {
        "waiting": "busy",
        "approved": "ok",
        "refused": "danger",
        "expired": "warning",
        "void": "warning",
        "cancelled": "idle",
    }

    # What it is for: "run" or "step" (of a workflow's run) and its id; later rooms add kinds of their own.
    kind = models.CharField(_("kind"), max_length=20)
    object_id = models.PositiveBigIntegerField(_("number of what it is for"))
    title = models.CharField(_("title"), max_length=200)
    rule = models.ForeignKey(
        ApprovalRule,
        verbose_name=_("rule"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="approvals",
    )
    rule_name = models.CharField(_("rule"), max_length=100)
    needed = models.PositiveSmallIntegerField(_("approvals needed"), default=1)
    status = models.CharField(
        _("status"),
        max_length=10,
        choices=Status,
        default=Status.WAITING,
        db_index=True,
    )
    explanation = models.TextField(_("explanation"), blank=True)
    # The hosts that it touches: who decides must reach each of them.
    hosts = models.ManyToManyField(
        "cmdb.Host", verbose_name=_("hosts"), related_name="approvals"
    )
    # name of a part ("hosts", "text", "variables") -> keyed hash of it
    seals = models.JSONField(default=dict)
    # What the approver is shown: {"sentence", "hosts": [names], "more": 0, "parts": [{"title", "text"}]}
    detail = models.JSONField(default=dict)
    requested_by = models.ForeignKey(
        "accounts.User",
        verbose_name=_("asked by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="asked_approvals",
    )
    requested_by_name = models.CharField(_("asked by"), max_length=150)
    created_at = models.DateTimeField(_("asked"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("decide_approval", "Can decide approval")]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "object_id", "rule"],
                condition=Q(status__in=("waiting", "approved")),
                name="approval_once_per_rule",
            )
        ]
        indexes = [models.Index(fields=["kind", "object_id"], name="approval_subject")]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:approval_detail", args=[self.pk])

    @property
    def state(self) -> str:
        """Colour of the status."""
        return self.STATES[self.status]

    @property
    def badge(self) -> dict[str, str]:
        """Its status as the head of the page draws it."""
        return {"state": self.state, "label": str(self.get_status_display())}

    @property
    def is_late(self) -> bool:
        """Whether its time is over."""
        return self.expires_at <= timezone.now()


class ApprovalVote(models.Model):
    """One person's word."""

    class Verdict(models.TextChoices):
        """What was said."""

        APPROVE = "approve", _("approves")
        REFUSE = "refuse", _("refuses")

    approval = models.ForeignKey(
        Approval, on_delete=models.CASCADE, related_name="votes"
    )
    user = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    user_name = models.CharField(_("who"), max_length=150)
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    comment = models.CharField(_("comment"), max_length=1000, blank=True)
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["approval", "user"], name="one_vote_each")
        ]

    def __str__(self) -> str:
        return f"{self.user_name}: {self.get_verdict_display()}"

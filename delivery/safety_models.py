"""What keeps people from harm: the lock of an environment, and the words of those who approve a deploy."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from delivery.deploy_models import OfEnvironmentsQuerySet


class DeployLock(models.Model):
    """Who has an environment in hand: a deploy, or a person. There is a row only while it is held."""

    environment = models.OneToOneField(
        "appconf.Environment",
        verbose_name=_("environment"),
        on_delete=models.CASCADE,
        related_name="deploy_lock",
    )
    deploy = models.ForeignKey(
        "delivery.Deploy",
        verbose_name=_("deploy"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="locks",
    )
    owner = models.ForeignKey(
        "accounts.User",
        verbose_name=_("owner"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    owner_name = models.CharField(_("owner"), max_length=150)
    reason = models.CharField(_("reason"), max_length=500)
    taken_at = models.DateTimeField(_("since"), auto_now_add=True)

    objects = OfEnvironmentsQuerySet.as_manager()

    class Meta:
        verbose_name = _("lock of an environment")
        verbose_name_plural = _("locks of environments")
        ordering = ["taken_at"]
        default_permissions = ("add", "view")
        permissions = [("break_deploylock", "Can break lock of an environment")]

    def __str__(self) -> str:
        return f"{self.environment}: {self.owner_name}"


class DeployVote(models.Model):
    """One person's decision on a deploy, bound to the plan that he or she saw."""

    deploy = models.ForeignKey(
        "delivery.Deploy", on_delete=models.CASCADE, related_name="votes"
    )
    user = models.ForeignKey(
        "accounts.User", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    user_name = models.CharField(_("who"), max_length=150)
    yes = models.BooleanField(_("yes"))
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    plan_hash = models.CharField(max_length=64)
    at = models.DateTimeField(_("when"), auto_now_add=True)

    class Meta:
        verbose_name = _("decision on a deploy")
        verbose_name_plural = _("decisions on deploys")
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["deploy", "user"], name="one_word_each")
        ]

    def __str__(self) -> str:
        return f"{self.user_name}: {_('yes') if self.yes else _('no')}"

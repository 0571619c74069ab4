"""Dashboards that people build: panels side by side, private or shared."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import ScopedQuerySet, permission_for, scope_of


class DashboardQuerySet(ScopedQuerySet):
    """Dashboards by who may open and change them."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to a user's own dashboards and shared ones; others' shared ones are changed by who may change all."""
        scope = scope_of(user, permission_for(self.model, action))
        if not scope:
            return self.none()
        reached = Q(owner_id=user.pk)
        if action == "view" or scope.everything:
            reached |= Q(is_shared=True)
        return self.filter(reached)


class Dashboard(Timestamped):
    """Panels that somebody has put together. It grants nothing: each reader sees his own hosts in it."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="+",
        editable=False,
    )
    name = models.CharField(_("name"), max_length=100)
    description = models.CharField(_("description"), max_length=250, blank=True)
    is_shared = models.BooleanField(
        _("shared"),
        default=False,
        help_text=_(
            "Everybody who may open dashboards sees it, each with his own hosts."
        ),
    )
    # As monitor/dashboard_panels.py checks them: {"id", "kind", "title", "metric", "hosts", "group", "way", "top", "wide"}.
    panels = models.JSONField(_("panels"), default=list, blank=True, editable=False)

    objects = DashboardQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("dashboard")
        verbose_name_plural = _("dashboards")
        ordering = ["name", "id"]
        default_permissions = ("view", "add", "change", "delete")
        permissions = [("share_dashboard", "Can share dashboards with everybody")]
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "name"],
                name="dashboard_once_by_name",
                violation_error_message=_("You have a dashboard of that name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Give the address at which its panels are drawn."""
        return reverse("monitor:dashboard_board", args=[self.pk])

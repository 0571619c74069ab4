"""Work that is kept to be launched again, with what may be changed then."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from adminset.models import Timestamped
from adminset.querysets import Scope, ScopedQuerySet
from cmdb.models import HostGroup
from tasks.work_models import Targets, Work, hosts_within, visible_or_own


class TemplateQuerySet(ScopedQuerySet):
    """Templates by who may see, launch or change them."""

    def visible_to(self, user: Any, action: str = "view") -> Self:
        """Narrow to templates within the scope, and the user's own."""
        return visible_or_own(self, user, f"tasks.{action}_template", owner=user)

    def within(self, scope: Scope, action: str) -> Self:
        """Narrow to templates that touch the scope (with all targets, for more than looking).

        One without hosts and groups of its own says only what runs: where, it is asked when it is launched, with the eyes
        of the one who launches it. Who holds a permission somewhere may see and launch it, not change it.
        """
        hosts = hosts_within(scope, action)
        groups = HostGroup.objects.all().within(scope, action).order_by().values("pk")
        on_host, on_group = (
            Template.hosts.through.objects,
            Template.groups.through.objects,
        )
        reached = Q(pk__in=on_host.filter(host__in=hosts).values("template"))
        reached |= Q(pk__in=on_group.filter(hostgroup__in=groups).values("template"))
        if action != "view":
            reached &= ~Q(pk__in=on_host.exclude(host__in=hosts).values("template"))
            reached &= ~Q(
                pk__in=on_group.exclude(hostgroup__in=groups).values("template")
            )
        if action in {"view", "use"}:
            fixed = Q(pk__in=on_host.values("template"))
            fixed |= Q(pk__in=on_group.values("template"))
            reached |= ~fixed
        return self.filter(reached)


class Template(Timestamped, Work, Targets):
    """Work kept under a name. `ask` names the fields that may be changed when it is launched; all others are fixed."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    description = models.CharField(_("description"), max_length=500, blank=True)
    owner = models.ForeignKey(
        "accounts.User",
        verbose_name=_("owner"),
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="templates",
    )
    ask = models.JSONField(_("may be changed at launch"), default=list, blank=True)

    objects = TemplateQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ["name"]
        permissions = [("use_template", "Can launch template")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Address of its page."""
        return reverse("tasks:template_detail", args=[self.pk])
